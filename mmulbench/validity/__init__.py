"""Check that records hold together: what they say is possible, agrees with itself, and is their run's.

For others: `record` (one record), `sift` (those of a folder), `files` (what ``mmulbench validate`` prints).
May import: records, core, metrics, evaluation, the ground floor.
"""
