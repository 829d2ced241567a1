"""Tiny CLIP and SigLIP models for the tests, and inputs for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mmulbench.backbones.clip import ClipBackbone
from mmulbench.core.backbone import TaskShape
from mmulbench.core.data import Targets
from mmulbench.core.model import EncoderOutput
from mmulbench.seeds import torch_seeded

VARIANTS = ("tiny", "tiny-siglip")
LENGTH = ClipBackbone("tiny").config.text_length
RETRIEVAL, CLASSES, GROUPS = TaskShape(), TaskShape(3), TaskShape(3, 2)
SHAPES = {"retrieval": RETRIEVAL, "classes": CLASSES, "groups": GROUPS, "groups ranked": TaskShape(0, 2)}
near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
each_variant = pytest.mark.parametrize("variant", VARIANTS)
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def built(variant: str, shape: TaskShape = RETRIEVAL, seed: int = 0) -> Any:
    with torch_seeded(seed, "clip"):
        return ClipBackbone(variant).build(shape)


def loud(variant: str, shape: TaskShape = RETRIEVAL) -> Any:
    """Other weights than the initial ones, none of them zero, so that every path shows."""
    model = built(variant, shape)
    with torch_seeded(1, "louder"):
        for name, parameter in model.named_parameters():
            if not name.startswith("logit_"):
                parameter.data.add_(torch.randn_like(parameter) * 0.2)
    return model


def texts_of(lengths: list[int], seed: int = 0) -> dict[str, torch.Tensor]:
    """[CLS], words, [SEP], padding."""
    ids = torch.randint(1000, 2000, (len(lengths), LENGTH), generator=torch.Generator().manual_seed(seed))
    ends = torch.tensor(lengths)[:, None] - 1
    ids = ids.masked_fill(torch.arange(LENGTH) > ends, 0).scatter(1, ends, 102)
    ids[:, 0] = 101
    return {"ids": ids.int()}


def images_of(count: int, group: int = 1, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, *([group] if group > 1 else []), 32, 32, 3)
    return {"pixels": torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)}


def sides(model: Any, shape: TaskShape = RETRIEVAL, count: int = 4) -> tuple[EncoderOutput, EncoderOutput]:
    texts = texts_of([5, LENGTH, 3, 4][:count])
    return model.encode("image", images_of(count, shape.group)), model.encode("text", texts)


def targets() -> Targets:
    related = torch.eye(4, dtype=torch.bool)
    related[0, 2] = related[3, 1] = True
    return Targets(related, torch.tensor([0, 1, 2, 1]))


def differs(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool((a - b).abs().max() > 1e-4)


def track(iterable, total, description):
    return iterable
