"""From the options that all commands on a task share to data in memory: checked whole, then loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from mmulbench import defaults
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core.method import Method
from mmulbench.core.model import Backbone
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.core.task import Task
from mmulbench.core.training import Recipe
from mmulbench.device import use_device
from mmulbench.errors import UsageError
from mmulbench.files import prepare_folder
from mmulbench.frozen import Frozen
from mmulbench.progress import Progress
from mmulbench.records.store import ResultsStore
from mmulbench.runs.prepare import Prepared, Workspace, find_backbone, load_data, prepare_inputs
from mmulbench.setting_values import Overrides


class TaskRequest(Frozen):
    """Holds the options that all commands on a task share."""

    task: str = Field(description="registered name of the task")
    methods: tuple[str, ...] = Field(default=(), description="registered names of the methods")
    backbone: str | None = Field(default=None, description="family:variant; null for the task's own")
    forget_size: str | None = Field(default=None, description="number of forget units, or a fraction")
    settings: tuple[str, ...] = Field(default=(), description="key=value texts, as for --set")
    device: str = Field(default="auto", description="auto, cpu or cuda:N")
    data_dir: Path = Field(default_factory=defaults.data_dir, description="folder of official data sets")
    cache_dir: Path = Field(default_factory=defaults.cache_dir, description="folder of shared artifacts")
    tuned_dir: Path = Field(default_factory=defaults.tuned_dir, description="folder of the user's studies")
    plugins: tuple[Path, ...] = Field(default_factory=defaults.plugin_files, description="plug-in files")
    checkpoint_seconds: float = Field(
        default_factory=defaults.checkpoint_seconds, description="least time between two checkpoints"
    )


@dataclass(frozen=True)
class Checked:
    """A request whose every name and value is known to be right; nothing is loaded yet.

    Attributes:
        task: configured.
        backbone: of the task.
        recipe: of the original and retrain.
        forget_size: a number of units, a fraction, or None for the task's default.
        classes: the methods asked for.
        overrides: settings of the methods.
    """

    task: Task
    backbone: Backbone
    recipe: Recipe
    forget_size: int | float | None
    classes: dict[str, type[Method]]
    overrides: Overrides


@dataclass(frozen=True)
class Opened:
    """A task with its data in memory.

    Attributes:
        prepared: task, backbone and inputs.
        size: forget units.
        workspace: where to compute.
    """

    prepared: Prepared
    size: int
    workspace: Workspace


def check(request: TaskRequest) -> Checked:
    """Check every name and value.

    Raises:
        UsageError: for wrong use.
        MmulbenchError: when a plug-in or a checkpoint is damaged.
    """
    load_plugins(request.plugins)
    classes = {name: METHODS.get(name) for name in dict.fromkeys(request.methods)}
    task_class = TASKS.get(request.task)
    overrides = Overrides(request.settings, list(classes))
    task = task_class(overrides.task(task_class.Config()))
    return Checked(
        task=task,
        backbone=find_backbone(task.default_backbone if request.backbone is None else request.backbone, task),
        recipe=overrides.recipe(task.recipe),
        forget_size=parse_forget_size(request.forget_size),
        classes=classes,
        overrides=overrides,
    )


class Output(NamedTuple):
    """A folder to write to, what it is for, and the option that names it."""

    folder: Path
    purpose: str
    flag: str


def open_task(request: TaskRequest, checked: Checked, output: Output, progress: Progress) -> Opened:
    """Load data and prepare inputs.

    Args:
        request: says where things are.
        checked: the same request.
        output: where records go.
        progress: shows bars.

    Raises:
        UsageError: when data or packages are missing, or the forget size does not fit.
        MmulbenchError: when a folder cannot be written or data is damaged.
    """
    device = use_device(request.device)
    prepare_folder(request.cache_dir, "cache", "--cache-dir")
    prepare_folder(*output)
    workspace = Workspace(
        cache=ArtifactCache(request.cache_dir, progress.note),
        store=ResultsStore(output.folder, progress.note),
        data_dir=request.data_dir,
        device=device,
        progress=progress,
        checkpoint_seconds=request.checkpoint_seconds,
    )
    data = load_data(checked.task, workspace)
    size = checked.task.forget_size(data, checked.forget_size)
    prepared = prepare_inputs(request.task, checked.task, data, checked.backbone, checked.recipe, workspace)
    return Opened(prepared, size, workspace)


def parse_forget_size(text: str | None) -> int | float | None:
    """A number of units, a fraction in (0, 1), or None.

    Raises:
        UsageError: when it is neither.
    """
    if text is None:
        return None
    try:
        return float(text) if any(mark in text for mark in ".eE") else int(text)
    except ValueError as error:
        raise UsageError(
            f"--forget-size {text!r} is neither a number of units nor a fraction between 0 and 1 such as 0.05"
        ) from error
