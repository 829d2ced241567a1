"""Let every metric, the verdict and the ranking judge planted models, of which the truth is known.

For others: `trial.try_metrics`, and what it returns.
May import: records, core, metrics, evaluation, report, the ground floor.
"""
