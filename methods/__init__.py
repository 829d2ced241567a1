"""Unlearn, one method a file; always imported as ``mmulbench.methods``.

For others: nothing by import: the registry `METHODS` finds them by name.
May import: core, evaluation, backbones, the ground floor.
"""

if __name__ != "mmulbench.methods":
    raise ImportError("import mmulbench.methods, not methods: the top-level folder is a symlink target")
