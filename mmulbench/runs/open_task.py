"""From the options that all commands on a task share to data in memory: resolved whole, then loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core.backbone import Backbone
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.method import Method
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.core.task import Task, TaskData
from mmulbench.core.training import Recipe
from mmulbench.device import use_device
from mmulbench.errors import UsageError
from mmulbench.files import prepare_folder
from mmulbench.progress import Progress
from mmulbench.records.schema import Tuning
from mmulbench.records.store import ResultsStore
from mmulbench.records.study import StaleStudy, tuned_default
from mmulbench.runs.forget_choice import ForgetChoice, chosen
from mmulbench.runs.forget_list import ForgetRequest, parse_request
from mmulbench.runs.given_models import GivenModels, check_recipe, find_models
from mmulbench.runs.origins import method_origins, setting_origins, tuning_of
from mmulbench.runs.prepare import PreparedTask, Workspace, load_data, prepare_inputs
from mmulbench.runs.request import CommonOptions, RunOptions, Wanted
from mmulbench.setting_values import Overrides


@dataclass(frozen=True)
class ResolvedRequest:
    """Holds what the names and values of a request stand for, all known to be right; no data is loaded yet.

    Attributes:
        task_name: registered name of the task.
        task: configured task.
        backbone: backbone that serves the task.
        given: models that are taken from elsewhere instead of being trained.
        recipe: recipe of the original and retrain.
        forget_size: number of units, fraction, or None for the task's default.
        forget: how a list or conditions say what is forgotten; None where the task draws it.
        methods: configured methods by name.
        tunings: studies that methods' settings come from, by name; those whose settings do not are absent.
        origins: where each setting comes from, the recipe's and the task's among them, by method.
        stale: studies that were left aside, since this mmulbench cannot use them.
    """

    task_name: str
    task: Task
    backbone: Backbone
    given: GivenModels
    recipe: Recipe
    forget_size: int | float | None
    forget: ForgetRequest | None
    methods: dict[str, Method]
    tunings: dict[str, Tuning]
    origins: dict[str, dict[str, str]]
    stale: tuple[StaleStudy, ...] = ()


def resolve(wanted: Wanted, options: CommonOptions, *, tuned: bool) -> ResolvedRequest:
    """Look up every name of a request, and check every value.

    Args:
        wanted: names and values.
        options: says where plug-ins and the user's studies are.
        tuned: whether methods start from tuned settings, where there are any, instead of their own.

    Raises:
        UsageError: A name is unknown, or a value is wrong.
        MmulbenchError: A plug-in, a checkpoint or a study is damaged.
    """
    load_plugins(options.plugins)
    classes = {name: METHODS.get(name) for name in dict.fromkeys(wanted.methods)}
    task_class = TASKS.get(wanted.task)
    overrides = Overrides(wanted.settings, list(classes))
    task = task_class(overrides.task(task_class.Config()))
    run = options if isinstance(options, RunOptions) else RunOptions()
    given, backbone = find_models(run, wanted.backbone, task)
    recipe, size = overrides.recipe(task.recipe), parse_forget_size(wanted.forget_size)
    check_recipe(recipe, given, backbone, reference=run.reference)
    forget = parse_request(wanted.forget, wanted.forget_where, wanted.forget_size)
    places = task.study_places(wanted.task, backbone.full_name)
    shared = {
        **setting_origins(recipe, task.recipe, prefix="recipe."),
        **setting_origins(task.config, task_class.Config(), prefix="task."),
    }
    methods, tunings, origins = {}, {}, {}
    stale: list[StaleStudy] = []
    for name, cls in classes.items():
        start, default = cls.Config(), None
        if tuned:
            default = tuned_default(places, name, start, options.tuned_dir, stale.append)
        config = overrides.method(name, default.config if default is not None else start)
        methods[name] = cls(config)
        own = method_origins(config, start, default)
        origins[name] = {**own, **shared}
        if (tuning := tuning_of(own, default)) is not None:
            tunings[name] = tuning
    return ResolvedRequest(
        wanted.task, task, backbone, given, recipe, size, forget, methods, tunings, origins, tuple(stale)
    )


class Output(NamedTuple):
    """Describes a folder to write to, what it is for, and the option that names it."""

    folder: Path
    purpose: str
    flag: str


def open_task(
    options: CommonOptions, resolved: ResolvedRequest, output: Output, progress: Progress
) -> PreparedTask:
    """Load a task's data and prepare its model inputs.

    Args:
        options: says where things are.
        resolved: what the names of a request stand for.
        output: folder of records or studies.
        progress: shows bars.

    Raises:
        UsageError: Data or packages are missing, or the forget size does not fit.
        MmulbenchError: A folder cannot be written, or data is damaged.
    """
    device = use_device(options.device)
    prepare_folder(options.cache_dir, "cache", "--cache-dir")
    prepare_folder(*output)
    workspace = Workspace(
        cache=ArtifactCache(options.cache_dir, progress.note),
        store=ResultsStore(output.folder, progress.note),
        data_dir=options.data_dir,
        device=device,
        progress=progress,
        checkpoint_seconds=options.checkpoint_seconds,
    )
    task = resolved.task
    data = load_data(task, workspace)
    _refuse_too_little(resolved.task_name, data)
    for line in choose_forget_set(resolved, data, seed=0).notes:  # refused before inputs are prepared
        progress.note(line)
    return prepare_inputs(
        resolved.task_name, task, data, resolved.backbone, resolved.recipe, workspace, resolved.given
    )


def choose_forget_set(resolved: ResolvedRequest, data: TaskData, seed: int) -> ForgetChoice:
    """Return what a run forgets: what a list or conditions name, or else what the task draws by the seed.

    Args:
        resolved: what the names of a request stand for.
        data: data of the task.
        seed: seed of the run.

    Raises:
        UsageError: The forget size is out of range, or what is named does not fit the data.
    """
    task = resolved.task
    if resolved.forget is not None:
        return chosen(resolved.forget, task, data)
    return ForgetChoice(
        ForgetSet(task.forget_units(data, task.forget_size(data, resolved.forget_size), seed))
    )


def _refuse_too_little(name: str, data: TaskData) -> None:
    """Refuse data of which nothing could be deleted, kept or measured.

    Args:
        name: registered name of the task.
        data: data of the task.

    Raises:
        UsageError: Training units or test pairs are missing.
    """
    units = len(data.train.units)
    if units < 2:
        raise UsageError(f"task {name} has {units} training units: it takes one to forget and one to keep")
    if not len(data.test):
        raise UsageError(f"task {name} has no test pairs, without which nothing can be measured")


def parse_forget_size(text: str | None) -> int | float | None:
    """Return a number of units, a fraction in (0, 1), or None.

    Raises:
        UsageError: The text is neither.
    """
    if text is None:
        return None
    try:
        return float(text) if any(mark in text for mark in ".eE") else int(text)
    except ValueError as error:
        raise UsageError(
            f"--forget-size {text!r} is neither a number of units nor a fraction between 0 and 1 such as 0.05"
        ) from error
