"""Checkpoints that were trained on a task's own pairs, written as transformers writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blip_checkpoints
import clip_checkpoints
import numpy as np
import torch

from mmulbench.backbones._blip_models import Blip
from mmulbench.backbones._clip_models import Clip, ClipClassifier
from mmulbench.backbones.blip import HEADS
from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Integers
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import TASKS
from mmulbench.core.training import Checkpoints, Recipe, fit
from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import PreparedTask, Workspace, prepare
from mmulbench.seeds import torch_seeded

RECIPE = Recipe(epochs=1, lr=1e-3, batch_size=32)
"""Of runs from a checkpoint: short, since only the start matters."""

LONG = Recipe(epochs=200, lr=3e-3, weight_decay=0.0, batch_size=64)
"""Of what has to know its pairs by heart."""


LIMIT = 200
"""Pictures of the part of a task."""


def fresh(family: str, folder: Path, seed: int = 0, **text: Any) -> Path:
    """A checkpoint with weights as they are before any training; of CLIP with other sizes of its texts."""
    tools: Any = blip_checkpoints if family == "blip" else clip_checkpoints
    like = tools.make() if family == "blip" else tools.make(family, **text)
    with torch_seeded(seed, "base"):
        written: Path = tools.write(folder, type(like)(like.config))
    return written


def opened(folder: Path, workspace: Workspace, task_name: str = "emoji", limit: int = LIMIT) -> PreparedTask:
    """A part of a task, with a checkpoint for its backbone."""
    cls = TASKS.get(task_name)
    task = cls(cls.Config(**{"limit": limit}))
    family = folder.name.partition("-")[0]
    return prepare(task_name, task, find_backbone(f"{family}:{folder}", task), RECIPE, workspace)


def fine_tuned(prepared: PreparedTask, folder: Path, without: Integers | None = None) -> Path:
    """A checkpoint that was trained on all training pairs but those of some units."""
    parts, model = _in_parts(prepared)
    train = prepared.data.train
    pairs = prepared.pairs(train if without is None else train.without(np.asarray(without)))
    meter = CostMeter(torch.device("cpu"))
    with meter:
        fit(model, pairs, LONG, 7, meter, Progress(), "", Checkpoints())
    tools: Any = blip_checkpoints if prepared.backbone.name == "blip" else clip_checkpoints
    written: Path = tools.write(folder, parts)
    return written


def _in_parts(prepared: PreparedTask) -> tuple[Any, MultimodalModel]:
    """transformers' model, and the model that is made of its parts."""
    backbone: Any = prepared.backbone
    shape = prepared.task.shape
    with torch_seeded(0, "heads"):
        if backbone.name == "blip":
            from transformers import BlipForImageTextRetrieval

            parts = backbone.checkpoint.load(BlipForImageTextRetrieval, new=HEADS)
            return parts, Blip(parts, backbone.config)
        from transformers import CLIPModel

        parts = backbone.checkpoint.load(CLIPModel)
        if shape.classes:
            return parts, ClipClassifier(parts, backbone.config, shape.classes, shape.group)
        return parts, Clip(parts, backbone.config)
