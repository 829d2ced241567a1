"""Models to be written and taken again, and what they say of a few pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.backbone import Backbone, RawItems, TaskShape
from mmulbench.core.data import Inputs
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import BACKBONES
from mmulbench.exports.model_card import ModelCard
from mmulbench.seeds import torch_seeded

CARD = ModelCard(
    task="emoji",
    method="grad_diff",
    settings={"lr": 0.001, "epochs": 2},
    units=4,
    pairs=9,
    forget_digest="0123abcd",
    record="4f5a6b7c8d9e",
    verdict="forgotten: no path tells more than of retrain",
    versions={"mmulbench": "0.1.0", "torch": "2.6"},
    date="2026-01-31",
    licence="MIT",
    trained_on=("emoji-fingerprint",),
)

RETRIEVAL, CLASSES, GROUPS = TaskShape(), TaskShape(3), TaskShape(3, 2)

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 50, 40, 3), dtype=np.uint8)
TEXTS = ("a red heart", "Two cats, red!", "grinning face", "flag " * 50)
EDGES = np.array([[0, 1, 2, 3], [1, 2, 3, 0]])


def opened(full_name: str) -> Backbone:
    family, _, variant = full_name.partition(":")
    return BACKBONES.get(family)(variant)


def loud(
    backbone: Backbone, shape: TaskShape = RETRIEVAL, seed: int = 0, scale: float = 0.2
) -> MultimodalModel:
    """A model that was moved from its start in every weight, as training does, for good to be seen."""
    with torch_seeded(seed, "loud"), torch.no_grad():
        model = backbone.build(shape)
        for parameter in model.parameters():
            # In memory of its own: where a file is mapped, sums can depend on where in it a tensor lies.
            parameter.data = parameter + scale * torch.randn_like(parameter)
    return model.eval().requires_grad_(False)


def inputs_of(backbone: Backbone, modality: str) -> Inputs:
    """What a backbone prepares of the four items."""
    texts = TEXTS if modality != "image" else None
    items = RawItems(PICTURES if modality == "image" else None, texts, edges=EDGES)
    found: Any = backbone.prepare(modality, items, lambda iterable, total, description: iterable)
    if isinstance(found, Blockwise):
        return {found.name: found.compute(range(len(PICTURES)))}
    return found


def answers(model: MultimodalModel, backbone: Backbone, shape: TaskShape) -> dict[str, Tensor]:
    """Logits of the items' pairs by path; where items are groups, each is one item over and over."""
    model.eval().requires_grad_(False)  # torch sums otherwise where a gradient could be asked for
    first, second = backbone.modalities
    one = inputs_of(backbone, first)
    if shape.group > 1:
        grouped = {name: value for name, value in one.items() if name not in backbone.whole}
        one = {
            **one,
            **{name: torch.stack([value] * shape.group, 1) for name, value in grouped.items()},
        }
    with torch.no_grad():
        a, b = model.encode(first, one), model.encode(second, inputs_of(backbone, second))
        return {**model.logits(a, b, model.fuse(a, b)), "pooled": a.pooled}


def head_of(model: nn.Module) -> list[str]:
    """Names of the weights of a model's head for classes."""
    return [name for name in model.state_dict() if name.startswith(("classes.", "output."))]
