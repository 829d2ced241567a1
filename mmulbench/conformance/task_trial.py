"""A task with its data, as the checks look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmulbench.core.data import Split
from mmulbench.core.registry import TASKS
from mmulbench.core.task import Task, TaskData
from mmulbench.progress import Progress

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class TaskTrial:
    """Holds a task with its data.

    Attributes:
        name: registered name of the task.
        task: the task with default settings.
        data: the data as loaded.
        again: function that loads the data once more, by a new object.
    """

    name: str
    task: Task
    data: TaskData
    again: Callable[[], TaskData]
    label: str = ""

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name."""
        return {name: getattr(self.data, name) for name in SPLITS}

    @property
    def published(self) -> bool:
        """Whether the data is what somebody else published, so that the task cannot mend it."""
        return self.task.info is not None and bool(self.task.info.layout)


def task_trial(name: str, data_dir: Path, progress: Progress, other_dir: Path | None = None) -> TaskTrial:
    """Load a task's data.

    Args:
        name: registered name of the task.
        data_dir: folder of the data.
        progress: what shows bars.
        other_dir: another folder with the same data, to load it from the second time.

    Raises:
        UsageError: the task is unknown, or data or a package is missing.
        MmulbenchError: data is damaged.
    """
    cls = TASKS.get(name)
    task = cls()
    data = task.load(data_dir, progress)
    return TaskTrial(name, task, data, lambda: cls().load(other_dir or data_dir, Progress()))
