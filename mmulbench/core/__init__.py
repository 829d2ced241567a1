"""State the contracts: data, model, training, method, task, metric, and the registries that find them.

For others: everything; authors of methods and tasks import it through `mmulbench` itself.
May import: records, cache, the ground floor.
"""
