"""Read the data of each task, and say what is forgotten and measured.

Each task is a file of its own name. The room is always imported as ``mmulbench.tasks``.

For others: nothing by import, since the registry `TASKS` finds tasks by name.
May import: core, the ground floor.
"""

if __name__ != "mmulbench.tasks":
    raise ImportError("import mmulbench.tasks, not tasks: the top-level folder is a symlink target")
