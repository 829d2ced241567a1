"""Tune the methods of a request: resolve the request whole, then tune method by method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field

from mmulbench.core.method import Method
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS
from mmulbench.core.run_code import code_of_run
from mmulbench.core.search_space import search_space
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.progress import Progress
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.records.study import Study, StudySpec, study_path, write_study
from mmulbench.runs.open_task import Output, open_task, resolve
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.request import TaskRequest
from mmulbench.tuning.holdout import forget_units
from mmulbench.tuning.judge import Judge, make_judge
from mmulbench.tuning.stored_study import stored_study
from mmulbench.tuning.trials import check_seed, checked, study_spec, tune

FEW_TRIALS, MANY_TRIALS = 20, 30
"""Configurations tried for a method with few and with many settings to search, for the same density."""

MANY_SETTINGS = 4
"""Fewest searched settings that are many."""

DEFAULT_SEEDS = (1, 2)

DEFAULT_BUDGET = 0.5
"""Half of retraining, on every task. Who has to spend more may as well retrain, which forgets for certain;
and nearly all methods' own settings are within it, so that it bounds the search and not the methods."""


class TuneRequest(TaskRequest):
    """Holds the options of ``mmulbench tune``; no methods means all that have settings to search."""

    trials: int | None = Field(
        default=None,
        ge=1,
        description="configurations tried for each method; by default 20, or 30 where four or more settings "
        "are searched",
    )
    seeds: tuple[int, ...] = Field(default=DEFAULT_SEEDS, description="each has its own forget set")
    budget: float = Field(default=DEFAULT_BUDGET, description="FLOPs of a trial, as a part of retrain's")
    replace: bool = Field(
        default=False, description="whether another study that is in the place makes way for this one"
    )

    def trials_of(self, settings: int) -> int:
        """Return how many configurations are tried of a method with so many searched settings."""
        return self.trials or (MANY_TRIALS if settings >= MANY_SETTINGS else FEW_TRIALS)


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
        session.demand_forget_sets()
        session.demand_places(resolved.methods)
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

    def demand_forget_sets(self) -> None:
        """Make sure that there are forget sets of all seeds, before anything is trained.

        Raises:
            UsageError: Too few units are left for one of them.
        """
        seeds = self.request.seeds
        for seed in seeds:
            forget_units(self.prepared, self.size, seed)
        forget_units(self.prepared, self.size, check_seed(seeds), seeds)

    def demand_places(self, methods: Mapping[str, Method]) -> None:
        """Make sure that no other study is in the way of a method's, before anything is trained.

        Raises:
            UsageError: One is, and is not to be replaced.
            MmulbenchError: A study cannot be read.
        """
        for name, method in methods.items():
            if method.applies_to(self.prepared.task) is None:
                spec, path = self._place(name, method)
                stored_study(path, spec, self._code(method), replace=self.request.replace)

    @cached_property
    def judges(self) -> list[Judge]:
        """One judge for each seed, made when the first trial needs them."""
        request = self.request
        return [make_judge(self.prepared, self.size, seed, request.budget) for seed in request.seeds]

    @cached_property
    def checking(self) -> Judge:
        """Judge of the seed that no search sees, made when the first search ends."""
        seeds = self.request.seeds
        return make_judge(self.prepared, self.size, check_seed(seeds), self.request.budget, seeds)

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

    def _place(self, name: str, method: Method) -> tuple[StudySpec, Path]:
        request = self.request
        spec = study_spec(self.prepared, name, method, self.size, request.seeds, request.budget)
        return spec, study_path(request.tuned_dir, spec.task, spec.backbone, name)

    def _code(self, method: Method) -> dict[str, str]:
        """Return the digests of the code that a method's study rests on."""
        prepared = self.prepared
        return code_of_run(type(method).__module__, prepared.task_name, prepared.backbone.full_name)

    def _study(self, name: str, method: Method) -> tuple[Study, Path]:
        request, workspace = self.request, self.prepared.workspace
        spec, path = self._place(name, method)
        count = request.trials_of(len(spec.space))
        with workspace.cache.lock(f"tune-{spec.study_id}", "tuning the same method"):
            known = stored_study(path, spec, self._code(method), replace=request.replace)
            if known is None and path.exists():
                workspace.progress.note(f"the study {path}, which is another, is replaced")
            study = known
            if known is None or _is_unfinished(known, count):
                for study in tune(spec, method, known, count, self.judges, workspace):
                    write_study(path, study)
            assert study is not None  # tuning yields one at least
            if study.best is not None and study.check is None:
                study = checked(study, method, self.checking)
                write_study(path, study)
        return study, path


def _is_unfinished(study: Study, count: int) -> bool:
    """Return whether a study lacks trials, of which there shall be ``count``."""
    return study.over_budget is None and len(study.trials) < count
