"""Read checkpoints that others published: two layouts, transformers' and that of ALBEF's authors.

`transformers_checkpoint` and `albef_checkpoint` find a checkpoint and read it, `hub_snapshots` finds it on a
hub, `albef_layout` renames the tensors of ALBEF's authors, `foreign_files` reads files without running them,
and `checkpoint_names` says what a checkpoint is called on the command line and in records.
"""
