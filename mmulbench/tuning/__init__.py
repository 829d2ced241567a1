"""Search a method's settings on validation data, with the same budget for every method.

For others: `session` (`TuneRequest`, `tune_session`).
May import: records, core, evaluation, runs, the ground floor.
"""
