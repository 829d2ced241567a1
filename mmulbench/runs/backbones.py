"""Find the backbone that serves a task, by its name or by the place of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from mmulbench.core.backbone import Backbone
from mmulbench.core.registry import BACKBONES
from mmulbench.core.task import Task
from mmulbench.errors import UsageError, did_you_mean


def open_backbone(full_name: str) -> Backbone:
    """Return the backbone called ``family``, ``family:variant``, or ``family:checkpoint``.

    Raises:
        UsageError: when family or variant is unknown, or the family reads no checkpoints.
        MmulbenchError: A checkpoint is damaged.
    """
    family, _, variant = full_name.partition(":")
    cls = BACKBONES.get(family)
    variant = variant or next(iter(cls.variants))
    if variant not in cls.variants and "/" not in variant and not Path(variant).exists():
        raise UsageError(
            f"unknown variant {variant!r} of backbone {family}{did_you_mean(variant, cls.variants)}"
        )
    return cls(variant) if variant in cls.variants else cls.from_checkpoint(variant)


def find_backbone(full_name: str, task: Task) -> Backbone:
    """Return the backbone of a full name, where it serves a task.

    Args:
        full_name: what `open_backbone` takes.
        task: the task that it shall serve.

    Raises:
        UsageError: Family or variant is unknown, or the backbone does not serve the task.
        MmulbenchError: A checkpoint is damaged.
    """
    refuse_unfit(full_name.partition(":")[0], task)
    return open_backbone(full_name)


def refuse_unfit(family: str, task: Task) -> None:
    """Refuse a backbone that does not serve a task.

    Args:
        family: its registered name.
        task: the task.

    Raises:
        UsageError: It is unknown, or does not.
    """
    cls = BACKBONES.get(family)
    if cls.modalities != task.modalities:
        raise UsageError(
            f"backbone {family} reads {' and '.join(cls.modalities)}, "
            f"but the task pairs {' and '.join(task.modalities)}{_others(task)}"
        )
    if task.shape.kind not in cls.serves:
        raise UsageError(
            f"backbone {family} serves {' and '.join(cls.serves)}, but the task is {task.shape.kind}"
            f"{_others(task)}"
        )


def serving(task: Task) -> list[str]:
    """Return the names of the backbones that a task can be run with."""
    found = ((name, BACKBONES.get(name)) for name in BACKBONES.names())
    return [
        name for name, cls in found if cls.modalities == task.modalities and task.shape.kind in cls.serves
    ]


def _others(task: Task) -> str:
    return f"; choose {' or '.join(serving(task))}"
