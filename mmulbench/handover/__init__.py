"""Hands over what a run made: the unlearned model with its card, and further values of it, long after.

For others: `save` (`ModelFolder`), `again` (`request_of`, `export_again`), `added` (`add_values`).
May import: records, core, validity, exports, runs, report, the ground floor.
"""
