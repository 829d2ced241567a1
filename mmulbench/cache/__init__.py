"""Keep what is costly to compute, named by the hash of all that it depends on, as safetensors files.

For others: `artifacts` (`ArtifactCache`, `Artifact`), `block_layout.Blockwise`, `tensor_files`.
May import: the ground floor.
"""
