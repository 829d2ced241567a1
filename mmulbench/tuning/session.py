"""Tune the methods of a request: resolve the request whole, then tune method by method."""

from __future__ import annotations

from collections.abc import Iterator
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
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.records.study import Study, read_study, study_path, write_study
from mmulbench.runs.open_task import Output, open_task, resolve
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.request import TaskRequest
from mmulbench.tuning.trials import Judge, make_judge, study_spec, tune

DEFAULT_TRIALS = 20
DEFAULT_SEEDS = (1, 2)
DEFAULT_BUDGET = 1.0


class TuneRequest(TaskRequest):
    """Holds the options of ``mmulbench tune``; no methods means all that have settings to search."""

    trials: int = Field(default=DEFAULT_TRIALS, ge=1, description="configurations tried for each method")
    seeds: tuple[int, ...] = Field(default=DEFAULT_SEEDS, description="each has its own forget set")
    budget: float = Field(default=DEFAULT_BUDGET, description="FLOPs of a trial, as a part of retrain's")


@dataclass(frozen=True)
class TunedMethod:
    """Holds what tuning made of one method.

    Attributes:
        name: registered name of the method.
        study: the method's study; None where the method does not apply to the task.
        path: file of the study, where there is one.
        reason: why there is no study; one line.
    """

    name: str
    study: Study | None = None
    path: Path | None = None
    reason: str | None = None


def tune_session(request: TuneRequest, progress: Progress) -> Iterator[TunedMethod]:
    """Tune every method of a request, and yield what came of each as soon as it is there.

    Args:
        request: the options.
        progress: shows bars and notes, from the first method that is asked for to the last.

    Raises:
        UsageError: The use is wrong; nothing is computed then.
        MmulbenchError: A folder cannot be written, or data is damaged.
    """
    if published := [seed for seed in request.seeds if seed in PUBLISHED_SEEDS]:
        raise UsageError(f"--seed {published[0]} is for records; tune with another, such as --seed 1")
    load_plugins(request.plugins)
    if not request.methods:
        searched = [name for name in METHODS.names() if search_space(METHODS.get(name).Config)]
        request = request.model_copy(update={"methods": tuple(searched)})
    resolved = resolve(request, request, tuned=False)
    for name, method in resolved.methods.items():
        if not search_space(type(method).Config):
            raise UsageError(f"method {name} has no settings to search; give its fields a Search(low, high)")
    output = Output(request.tuned_dir, "settings", "--tuned-dir")
    with progress:
        prepared = open_task(request, resolved, output, progress)
        size = resolved.task.forget_size(prepared.data, resolved.forget_size)
        session = _Session(request, prepared, size)
        for name, method in resolved.methods.items():
            yield session.tuned(name, method)


@dataclass
class _Session:
    """Holds what the studies of one request share.

    Attributes:
        request: the options.
        prepared: the task with data in memory.
        size: number of forget units.
    """

    request: TuneRequest
    prepared: PreparedTask
    size: int

    @cached_property
    def judges(self) -> list[Judge]:
        """One judge for each seed, made when the first trial needs them."""
        request = self.request
        return [make_judge(self.prepared, self.size, seed, request.budget) for seed in request.seeds]

    def tuned(self, name: str, method: Method) -> TunedMethod:
        """Return one method's study, as far as asked for, or why it has none.

        Raises:
            MmulbenchError: The study cannot be read or written.
        """
        reason = method.applies_to(self.prepared.task)
        if reason is not None:
            return TunedMethod(name, reason=reason)
        try:
            study, path = self._study(name, method)
        except NotApplicable as error:
            return TunedMethod(name, reason=str(error))
        return TunedMethod(name, study, path)

    def _study(self, name: str, method: Method) -> tuple[Study, Path]:
        request, prepared, workspace = self.request, self.prepared, self.prepared.workspace
        spec = study_spec(prepared, name, method, self.size, request.seeds, request.budget)
        path = study_path(request.tuned_dir, spec.task, spec.backbone, name)
        with workspace.cache.lock(f"tune-{spec.study_id}", "tuning the same method"):
            study = read_study(path)
            if study is not None and study.spec != spec:
                workspace.progress.note(f"{path} is of another study ({study.spec.study_id}): it is replaced")
                study = None
            if study is not None and len(study.trials) >= request.trials:
                return study, path
            known = study.trials if study is not None else []
            for study in tune(spec, method, known, request.trials, self.judges, workspace):
                write_study(path, study)
        assert study is not None  # there is at least one trial
        return study, path
