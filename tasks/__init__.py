"""Read data and say what is forgotten and measured, one task a file; always imported as ``mmulbench.tasks``.

For others: nothing by import: the registry `TASKS` finds them by name.
May import: core, the ground floor.
"""

if __name__ != "mmulbench.tasks":
    raise ImportError("import mmulbench.tasks, not tasks: the top-level folder is a symlink target")
