"""State the contracts: data, model, training, method, task, and the registries that find them by name.

For others: everything; authors of methods and tasks import it through `mmulbench` itself.
May import: records, cache, the ground floor.
"""
