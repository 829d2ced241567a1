"""Unlearning methods, one file each; always imported as ``mmulbench.methods``."""

if __name__ != "mmulbench.methods":
    raise ImportError("import mmulbench.methods, not methods: the top-level folder is a symlink target")
