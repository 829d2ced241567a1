"""Inputs and targets for tiny BLIP models."""

from __future__ import annotations

from typing import Any

import torch

from mmulbench.core.backbone import TaskShape
from mmulbench.core.data import Targets

LENGTH = 8
SHAPES = {"retrieval": TaskShape(), "classes": TaskShape(3), "groups": TaskShape(3, 2)}
near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


def texts_of(lengths: list[int], seed: int = 0) -> dict[str, torch.Tensor]:
    ids = torch.randint(1000, 2000, (len(lengths), LENGTH), generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(LENGTH) < torch.tensor(lengths)[:, None]
    return {"ids": ids.masked_fill(~mask, 0).int(), "mask": mask}


def images_of(*shape: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {"pixels": torch.randint(0, 256, (*shape, 32, 32, 3), generator=generator, dtype=torch.uint8)}


def track(iterable, total, description):
    return iterable


def targets() -> Targets:
    return Targets(torch.eye(4, dtype=torch.bool), torch.tensor([0, 1, 2, 1]))
