"""What ``mmulbench run`` does: check the request whole, then make each run and hand over each record."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from mmulbench.artifacts import ArtifactCache
from mmulbench.errors import UsageError
from mmulbench.files import prepare_folder
from mmulbench.method import Method
from mmulbench.model import Backbone
from mmulbench.overrides import Overrides
from mmulbench.pipeline import Overwrite, Run, execute, make_spec, use_device
from mmulbench.plugins import load_plugins, plugins_of_run
from mmulbench.preparation import Prepared, Workspace, find_backbone, load_data, prepare_inputs
from mmulbench.progress import Progress
from mmulbench.registry import METHODS, TASKS
from mmulbench.results import RunResult, Tuning
from mmulbench.store import ResultsStore
from mmulbench.task import Task
from mmulbench.training import Recipe
from mmulbench.tuned import tuned_default

DEFAULT_SEED = 42


@dataclass(frozen=True)
class Request:
    """The options of ``mmulbench run``."""

    methods: Sequence[str]
    task: str
    backbone: str | None = None
    seeds: Sequence[int] = (DEFAULT_SEED,)
    forget_size: str | None = None
    settings: Sequence[str] = ()
    device: str = "auto"
    data_dir: Path = Path("data")
    results_dir: Path = Path("results")
    cache_dir: Path = Path("cache")
    overwrite: Overwrite = "failed"
    reference: bool = True
    plugins: Sequence[Path] = ()
    tuned_dir: Path = Path("tuned")
    untuned: bool = False


class Configured(NamedTuple):
    """A method with its settings, and the study they come from, unless they were changed."""

    method: Method
    tuning: Tuning | None


Done = Callable[[RunResult, Path, bool], None]
"""Receives a record, its file, and whether it is new, as soon as it is there."""


def run_session(request: Request, progress: Progress, done: Done) -> list[RunResult]:
    """Make all runs of a request: every seed with every method.

    Raises:
        UsageError: for wrong use, before anything is computed.
        MmulbenchError: when a folder cannot be written or data is damaged.
    """
    task, backbone, methods, recipe = _configure(request)
    forget_size = parse_forget_size(request.forget_size)
    device = use_device(request.device)
    prepare_folder(request.cache_dir, "cache", "--cache-dir")
    prepare_folder(request.results_dir, "results", "--results-dir")
    workspace = Workspace(
        cache=ArtifactCache(request.cache_dir, progress.note),
        store=ResultsStore(request.results_dir, progress.note),
        data_dir=request.data_dir,
        device=device,
        progress=progress,
    )
    with progress:
        for line in _sources(methods):
            progress.note(line)
        data = load_data(task, workspace)
        size = task.forget_size(data, forget_size)
        prepared = prepare_inputs(request.task, task, data, backbone, recipe, workspace)
        results = []
        for seed in dict.fromkeys(request.seeds):
            for name, (method, tuning) in methods.items():
                spec = make_spec(prepared, name, method, size, seed)
                command = reproducing_command(prepared, name, method, size, seed, request.reference)
                run = Run(spec, method, command, request.reference, tuning)
                result, new = execute(run, prepared, workspace, request.overwrite)
                results.append(result)
                done(result, workspace.store.path(spec), new)
    return results


def _configure(request: Request) -> tuple[Task, Backbone, dict[str, Configured], Recipe]:
    """Task, backbone, methods and recipe with all settings, every name and value checked."""
    load_plugins(request.plugins)
    classes = {name: METHODS.get(name) for name in dict.fromkeys(request.methods)}
    task_class = TASKS.get(request.task)
    if any(seed < 0 for seed in request.seeds):
        raise UsageError(f"--seed {min(request.seeds)} is negative; allowed: 0 and above")
    overrides = Overrides(request.settings, list(classes))
    task = task_class(overrides.task(task_class.Config()))
    backbone = find_backbone(task.default_backbone if request.backbone is None else request.backbone, task)
    methods = {}
    for name, cls in classes.items():
        tuned = None
        if not request.untuned:
            tuned = tuned_default(
                request.task, task, backbone.full_name, name, cls.Config(), request.tuned_dir
            )
        config = overrides.method(name, tuned.config if tuned is not None else cls.Config())
        kept = tuned is not None and config == tuned.config
        methods[name] = Configured(cls(config), tuned.tuning if tuned is not None and kept else None)
    return task, backbone, methods, overrides.recipe(task.recipe)


def _sources(methods: Mapping[str, Configured]) -> list[str]:
    """One line for each task that settings were tuned on."""
    by_place: dict[str, list[str]] = {}
    for name, (_, tuning) in methods.items():
        if tuning is not None:
            by_place.setdefault(f"{tuning.task} with {tuning.backbone}", []).append(name)
    return [
        f"settings tuned on {place}: {', '.join(names)} (--untuned takes the methods' own)"
        for place, names in by_place.items()
    ]


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


def reproducing_command(
    prepared: Prepared, name: str, method: Method, forget_size: int, seed: int, reference: bool
) -> str:
    """The command line that makes this run again, with every setting that is not the method's own.

    It does not rely on tuned settings, since a later study may change them.
    """
    parts = ["mmulbench", "run", "--method", name, "--task", prepared.task_name]
    plugins = plugins_of_run(name, prepared.task_name, prepared.backbone.name).values()
    for path in sorted({plugin.path for plugin in plugins}):
        parts += ["--plugin", str(path)]
    parts += ["--backbone", prepared.backbone.argument]
    parts += ["--forget-size", str(forget_size), "--seed", str(seed)]
    defaults = (
        ("task.", prepared.task.config, type(prepared.task).Config()),
        ("recipe.", prepared.recipe, prepared.task.recipe),
        ("", method.config, type(method).Config()),
    )
    for prefix, config, default in defaults:
        for key, value in differing(config, default).items():
            parts += ["--set", f"{prefix}{key}={value}"]
    if fields(method.config):
        parts.append("--untuned")
    if not reference:
        parts.append("--no-reference")
    return shlex.join(parts)


def differing(config: Any, default: Any) -> dict[str, Any]:
    """The settings of a configuration that are not the default's."""
    names = [field.name for field in fields(config)]
    return {name: getattr(config, name) for name in names if getattr(config, name) != getattr(default, name)}
