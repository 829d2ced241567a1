"""Write models in their families' own formats, with a model card, and take models that others trained.

For others: `write` (`write_model`), `model_card` (`ModelCard`), `read` (`open_model`, `GivenModel`),
`same_inputs`.
May import: backbones, cache, core, the ground floor.
"""
