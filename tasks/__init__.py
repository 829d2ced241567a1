"""Tasks, one file each; always imported as ``mmulbench.tasks``."""

if __name__ != "mmulbench.tasks":
    raise ImportError("import mmulbench.tasks, not tasks: the top-level folder is a symlink target")
