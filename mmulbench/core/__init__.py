"""State the contracts of data, models, training, methods, tasks and metrics, and find them by name.

For others: everything; authors of methods, tasks and metrics import it through `mmulbench` itself.
May import: records, cache, the ground floor.
"""
