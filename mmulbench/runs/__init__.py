"""Make one run: prepare, build original and retrain, unlearn, evaluate, record.

For others: `request`, `session`, `open_task`, `prepare`, `pipeline`.
May import: records, cache, metrics, core, evaluation, validity, exports, loggers, the ground floor.
"""
