"""Hands over what a run made: the unlearned model with its card, also of a record whose model is gone.

For others: `save` (`ModelFolder`), `again` (`request_of`, `export_again`).
May import: records, core, exports, runs, report, the ground floor.
"""
