"""Say which methods and backbones apply to which tasks, and why others do not."""

from __future__ import annotations

from mmulbench.core.backbone import Backbone
from mmulbench.core.method import Method
from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.core.task import Task
from mmulbench.errors import MmulbenchError

Reasons = dict[str, str | None]
"""By registered name: why not, in one line; None where there is no reason."""


def reasons_by_method(task: str) -> Reasons:
    """Say of every method why it does not apply to a task; None where it applies.

    What only a model can tell, such as that it lacks a layer, shows in a run.

    Args:
        task: registered name of the task.

    Raises:
        UsageError: The task is unknown.
    """
    configured = TASKS.get(task)()
    return {name: _reason(name, configured) for name in METHODS.names()}


def reasons_by_task(method: type[Method]) -> Reasons:
    """Say of every task why a method does not apply to it; None where it applies.

    Args:
        method: class of the method.
    """
    found: Reasons = {}
    for name in TASKS.names():
        try:
            found[name] = method.applies_to(TASKS.get(name)())
        except MmulbenchError as error:  # an installed package that is broken must not hide the others
            found[name] = str(error)
    return found


def reasons_by_backbone(task: Task) -> Reasons:
    """Say of every family of backbones why a task cannot be run with it; None where it can.

    Args:
        task: the task.
    """
    found: Reasons = {}
    for name in BACKBONES.names():
        try:
            found[name] = _does_not_serve(BACKBONES.get(name), task)
        except MmulbenchError as error:
            found[name] = str(error)
    return found


def _does_not_serve(backbone: type[Backbone], task: Task) -> str | None:
    if backbone.modalities != task.modalities:
        return f"it reads {' and '.join(backbone.modalities)}, the task pairs {' and '.join(task.modalities)}"
    if task.shape.kind not in backbone.serves:
        return f"it serves {' and '.join(backbone.serves)}, the task is {task.shape.kind}"
    return None


def _reason(method: str, task: Task) -> str | None:
    try:
        return METHODS.get(method).applies_to(task)
    except MmulbenchError as error:
        return str(error)
