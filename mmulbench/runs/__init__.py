"""Make one run: prepare, build original and retrain, unlearn, evaluate, record.

For others: `session` (`Request`, `run_session`), `open_task`, `prepare`, `pipeline`.
May import: records, cache, metrics, core, evaluation, the ground floor.
"""
