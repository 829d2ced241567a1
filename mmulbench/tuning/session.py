"""What ``mmulbench tune`` does: check the request whole, then tune method by method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field

from mmulbench.core.method import Method
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS
from mmulbench.core.search_space import search_space
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.progress import Progress
from mmulbench.records.study import Study, read_study, study_path, write_study
from mmulbench.runs.open_task import Opened, Output, TaskRequest, check, open_task
from mmulbench.tuning.holdout import PUBLISHED_SEEDS
from mmulbench.tuning.trials import Bench, make_bench, study_spec, tune

DEFAULT_TRIALS = 20
DEFAULT_SEEDS = (1, 2)
DEFAULT_BUDGET = 1.0


class TuneRequest(TaskRequest):
    """Holds the options of ``mmulbench tune``; no methods means all that have settings to search."""

    trials: int = Field(default=DEFAULT_TRIALS, description="configurations tried for each method")
    seeds: tuple[int, ...] = Field(default=DEFAULT_SEEDS, description="each has its own forget set")
    budget: float = Field(default=DEFAULT_BUDGET, description="FLOPs of a trial, as a part of retrain's")


Done = Callable[[str, Study | None, str], None]
"""Receives a method's name, its study, and the study's file or why there is none."""


def tune_session(request: TuneRequest, progress: Progress, done: Done) -> list[Study]:
    """Tune every method of a request.

    Raises:
        UsageError: for wrong use, before anything is computed.
        MmulbenchError: when a folder cannot be written or data is damaged.
    """
    if published := [seed for seed in request.seeds if seed in PUBLISHED_SEEDS]:
        raise UsageError(f"--seed {published[0]} is for records; tune with another, such as --seed 1")
    load_plugins(request.plugins)
    if not request.methods:
        searched = [name for name in METHODS.names() if search_space(METHODS.get(name).Config)]
        request = request.model_copy(update={"methods": tuple(searched)})
    checked = check(request)
    for name, cls in checked.classes.items():
        if not search_space(cls.Config):
            raise UsageError(f"method {name} has no settings to search; give its fields a Search(low, high)")
    methods = {
        name: cls(checked.overrides.method(name, cls.Config())) for name, cls in checked.classes.items()
    }
    output = Output(request.tuned_dir, "settings", "--tuned-dir")
    with progress:
        session = _Session(request, open_task(request, checked, output, progress))
        studies = []
        for name, method in methods.items():
            reason = method.applies_to(checked.task)
            try:
                study, path = session.study(name, method) if reason is None else (None, Path())
            except NotApplicable as error:
                study, reason = None, str(error)
            done(name, study, reason or str(path))
            studies += [study] if study is not None else []
    return studies


@dataclass
class _Session:
    """What the studies of one request share."""

    request: TuneRequest
    opened: Opened

    @cached_property
    def benches(self) -> list[Bench]:
        """One a seed; made when the first trial needs them."""
        opened, budget = self.opened, self.request.budget
        return [
            make_bench(opened.prepared, opened.size, seed, budget, opened.workspace)
            for seed in self.request.seeds
        ]

    def study(self, name: str, method: Method) -> tuple[Study, Path]:
        """One method's study, as far as asked for, and its file.

        Raises:
            NotApplicable: when the model lacks what the method needs.
            MmulbenchError: when the study cannot be read or written.
        """
        request, opened, workspace = self.request, self.opened, self.opened.workspace
        spec = study_spec(opened.prepared, name, method, opened.size, request.seeds, request.budget)
        path = study_path(request.tuned_dir, spec.task, spec.backbone, name)
        with workspace.cache.lock(f"tune-{spec.study_id}", "tuning the same method"):
            known = read_study(path)
            if known is not None and known.spec != spec:
                workspace.progress.note(f"{path} is of another study ({known.spec.study_id}): it is replaced")
                known = None
            if known is not None and len(known.trials) >= request.trials:
                return known, path
            trials = known.trials if known is not None else []
            found = tune(
                spec, method, trials, request.trials, self.benches, workspace, lambda s: write_study(path, s)
            )
        return found, path
