"""Tiny ViLT models for the tests."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mmulbench.backbones.vilt import ViltBackbone
from mmulbench.core.backbone import TaskShape
from mmulbench.seeds import torch_seeded

PAIR, TRIPLE = TaskShape(2, 2), TaskShape(3, 3)
SHAPES = [TaskShape(), TaskShape(3), PAIR, TRIPLE]
near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


def louder(model: nn.Module) -> nn.Module:
    """Larger weights than the initial ones, and none of them zero, so that every path shows."""
    with torch_seeded(0, "louder"):
        for parameter in model.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
    return model


def built(shape: TaskShape = TaskShape(), backbone: ViltBackbone | None = None) -> Any:  # noqa: B008
    with torch_seeded(0, "vilt"):
        return (backbone or ViltBackbone("tiny")).build(shape)


def differs(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool((a - b).abs().max() > 1e-3)
