"""What ``mmulbench run`` does: check the request whole, then make each run and hand over each record."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from mmulbench import defaults
from mmulbench.core.method import Method
from mmulbench.core.plugins import plugins_of_run
from mmulbench.errors import UsageError
from mmulbench.metrics.populations import FEWEST
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult, Tuning
from mmulbench.records.store import RESULTS_FLAG
from mmulbench.records.study import tuned_default
from mmulbench.runs.open_task import Checked, Opened, Output, TaskRequest, check, open_task
from mmulbench.runs.pipeline import Overwrite, Run, execute, make_spec
from mmulbench.runs.prepare import Prepared

DEFAULT_SEED = 42


class Request(TaskRequest):
    """Holds the options of ``mmulbench run``."""

    seeds: tuple[int, ...] = Field(default=(DEFAULT_SEED,), description="one run each for every method")
    results_dir: Path = Field(default_factory=defaults.results_dir, description="folder of records")
    overwrite: Overwrite = Field(default="failed", description="which records are made again")
    reference: bool = Field(default=True, description="whether to compare with retrain")
    untuned: bool = Field(default=False, description="whether to ignore tuned settings")
    shadows: int = Field(default=0, description="number of shadow models to attack with besides")


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
    if any(seed < 0 for seed in request.seeds):
        raise UsageError(f"--seed {min(request.seeds)} is negative; allowed: 0 and above")
    check_shadows(request)
    checked = check(request)
    methods = {name: configured(name, request, checked) for name in checked.classes}
    with progress:
        opened = open_task(request, checked, results_output(request), progress)
        for line in _sources(methods):
            progress.note(line)
        results = []
        for seed in dict.fromkeys(request.seeds):
            for name, method in methods.items():
                run = plan_run(name, method, seed, request, opened)
                result, new = execute(run, opened.prepared, opened.workspace, request.overwrite)
                results.append(result)
                done(result, opened.workspace.store.path(run.spec), new)
    return results


def check_shadows(request: Request) -> None:
    """Check that what is asked of shadow models can be had.

    Raises:
        UsageError: when there are too few, or nothing to compare them with.
    """
    fewest = FEWEST - 1  # besides the run's own models
    if request.shadows and request.shadows < fewest:
        raise UsageError(f"--shadows {request.shadows} is too few to know a spread from: at least {fewest}")
    if request.shadows and not request.reference:
        raise UsageError("--shadows compares with retrained models: leave out --no-reference")


def results_output(request: Request) -> Output:
    """Where the records of a request go."""
    return Output(request.results_dir, "results", RESULTS_FLAG)


def plan_run(name: str, configured: Configured, seed: int, request: Request, opened: Opened) -> Run:
    """One run of a request, ready to be executed."""
    method, tuning = configured
    spec = make_spec(opened.prepared, name, method, opened.size, seed)
    command = reproducing_command(opened.prepared, name, method, opened.size, seed, request)
    return Run(spec, method, command, request.reference, tuning, request.shadows)


def configured(name: str, request: Request, checked: Checked) -> Configured:
    """A method with tuned settings, where there are any, and what was set on top of them."""
    cls, tuned = checked.classes[name], None
    default = cls.Config()
    if not request.untuned:
        places = checked.task.study_places(request.task, checked.backbone.full_name)
        tuned = tuned_default(places, name, default, request.tuned_dir)
    config = checked.overrides.method(name, tuned.config if tuned is not None else default)
    unchanged = tuned is not None and config == tuned.config
    return Configured(cls(config), tuned.tuning if tuned is not None and unchanged else None)


def _sources(methods: Mapping[str, Configured]) -> list[str]:
    """One line for each task that settings were tuned on, with success or in vain."""
    by_place: dict[tuple[str, bool], list[str]] = {}
    for name, (_, tuning) in methods.items():
        if tuning is not None:
            place = f"{tuning.task} with {tuning.backbone}"
            by_place.setdefault((place, tuning.found), []).append(name)
    return [
        f"settings tuned on {place}: {', '.join(names)} (--untuned takes the methods' own)"
        if found
        else f"no trial on {place} was within budget and done, so with their own settings: {', '.join(names)}"
        for (place, found), names in by_place.items()
    ]


def reproducing_command(
    prepared: Prepared, name: str, method: Method, forget_size: int, seed: int, request: Request
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
    if not request.reference:
        parts.append("--no-reference")
    if request.shadows:
        parts += ["--shadows", str(request.shadows)]
    return shlex.join(parts)


def differing(config: Any, default: Any) -> dict[str, Any]:
    """The settings of a configuration that are not the default's."""
    names = [field.name for field in fields(config)]
    return {name: getattr(config, name) for name in names if getattr(config, name) != getattr(default, name)}
