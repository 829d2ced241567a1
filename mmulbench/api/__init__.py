"""Offer the command line's work to Python: functions that return what the commands print.

For others: `run`, `evaluate`, `load_records`, `leaderboard`, `plot`, imported from `mmulbench` itself.
May import: records, core, validity, runs, report, handover, the ground floor.
"""
