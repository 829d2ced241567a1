"""Run a model over Df, Dr and the test set, and turn the arrays into a record's values.

For others: `measure`, `values`, `population_values`.
May import: records, metrics, core, the ground floor.
"""
