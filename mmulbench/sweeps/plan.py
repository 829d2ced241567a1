"""Divide runs into steps: originals and retrains first, each once, then the runs that use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, RootModel

from mmulbench.core.registry import METHODS
from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint
from mmulbench.records.schema import RunResult
from mmulbench.sweeps.grid import Job, titled

StepKind = Literal["original", "retrain", "second_retrain", "shadow", "run"]
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)
"""Kinds in the order in which steps are made: a step needs steps of earlier kinds alone."""

StepId = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
"""Id of a step, which names files, so that nothing else may be one."""


class Step(Frozen):
    """Describes one piece of work of a sweep; it is stored as it is.

    Attributes:
        kind: whether the step trains an original, a retrain or a second retrain by a seed of its own, lets a
            method unlearn a shadow model, or makes a run.
        job: the run, or one of the runs that share the model.
        step_id: id of the step; equal steps have equal ids.
        needs: ids of the steps that have to end before.
        shadow: number of the shadow model; 0 for models of the run's own training seed.
    """

    kind: StepKind
    job: Job
    step_id: StepId
    needs: tuple[StepId, ...] = ()
    shadow: int = Field(default=0, ge=0)

    @property
    def title(self) -> str:
        """Title of the step, in one line."""
        job, seed = self.job, f"seed {self.job.seed}"
        if self.kind in ("original", "retrain", "second_retrain"):
            trained = self.kind.replace("_", " ")
            job = job.model_copy(update={"method": trained, "settings": shared_settings(job)})
        if self.kind == "original":
            job = job.model_copy(update={"forget_size": None, "forget": None, "forget_where": ()})
            seed = "" if self.shadow else seed
        whole = titled(job, seed)
        return f"{whole}, shadow model {self.shadow}" if self.shadow else whole


class Plan(RootModel[tuple[Step, ...]]):
    """Holds the steps of a sweep, each after those that it needs; it is stored as a list."""

    model_config = ConfigDict(frozen=True)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order in which they are made."""
        return self.root

    def of(self, kind: StepKind) -> list[Step]:
        """Return the steps of one kind."""
        return [step for step in self.steps if step.kind == kind]

    def with_needs(self, step_ids: Collection[str]) -> Plan:
        """Return the plan of some steps alone and of the steps that they need."""
        wanted = set(step_ids)
        for step in reversed(self.steps):
            if step.step_id in wanted:
                wanted.update(step.needs)
        return Plan(tuple(step for step in self.steps if step.step_id in wanted))


def make_plan(jobs: Sequence[Job], *, reference: bool, shadows: int = 0) -> Plan:
    """Return the plan of a sweep's runs.

    Args:
        jobs: the runs.
        reference: whether runs are compared with retrain.
        shadows: number of shadow models that each run is judged by besides.
    """
    shared: dict[str, Step] = {}
    runs = []
    for job in jobs:
        needs: list[str] = []
        is_reference = METHODS.get(job.method).is_reference
        for number in range(shadows + 1):
            steps = _shared_steps(job, number, retrain=reference or is_reference)
            if shadows:
                steps.append(_second_retrain(job, number))
            if number and not is_reference:
                steps.append(_step("shadow", job, number, [job.job_id], steps[0].step_id))
            for step in steps:
                shared.setdefault(step.step_id, step)
            needs += [step.step_id for step in steps]
        runs.append(Step(kind="run", job=job, step_id=job.job_id, needs=tuple(needs)))
    return Plan(tuple(sorted(shared.values(), key=lambda step: STEP_KINDS.index(step.kind))) + tuple(runs))


def _shared_steps(job: Job, shadow: int, *, retrain: bool) -> list[Step]:
    """Return the original of a run or of one of its shadow models, and the retrain."""
    trained = [job.task, job.backbone, *shared_settings(job)]
    # A shadow model's original is the same for all runs, since only its retrain depends on what they forget.
    original = _step("original", job, shadow, [*trained, *([] if shadow else [job.seed])])
    if not retrain:
        return [original]
    named = [one for one in (job.forget, *job.forget_where) if one]
    forget = [*trained, job.seed, job.forget_size, *named]
    return [original, _step("retrain", job, shadow, forget, original.step_id)]


def _second_retrain(job: Job, shadow: int) -> Step:
    """Return a second retrain of a run or of one of its shadow models; it is given the run's own original."""
    original, retrain = _shared_steps(job, 0, retrain=True)
    return _step("second_retrain", job, shadow, [retrain.step_id], original.step_id)


def _step(kind: StepKind, job: Job, shadow: int, depends_on: Sequence[object], *needs: str) -> Step:
    """Return a step whose id is the hash of everything that it depends on."""
    step_id = fingerprint([kind, shadow, *depends_on])[:12]
    return Step(kind=kind, job=job, step_id=step_id, needs=needs, shadow=shadow)


def shared_settings(job: Job) -> tuple[str, ...]:
    """Return the settings of a run that its original and retrain depend on."""
    return tuple(item for item in job.settings if item.startswith(("recipe.", "task.")))


@dataclass(frozen=True)
class Estimate:
    """Holds how long steps take by earlier records.

    Attributes:
        seconds: time of all steps that records tell of, one after the other.
        unknown: number of steps that no record tells of.
    """

    seconds: float
    unknown: int


def estimate(steps: Iterable[Step], records: Sequence[RunResult]) -> Estimate:
    """Estimate the time of steps from records; see `step_seconds`.

    Args:
        steps: the steps.
        records: earlier records.
    """
    steps = list(steps)
    known = step_seconds(steps, records)
    return Estimate(sum(known.values()), len(steps) - len(known))


def step_seconds(steps: Iterable[Step], records: Sequence[RunResult]) -> dict[str, float]:
    """Return the seconds that steps take, by id, by records of the same task and method, else of the task.

    A run takes as long as runs took from start to end, a shadow model as long as its method's cost, and an
    original as long as a retrain, whose cost is known. Steps that no record tells of are left out.

    Args:
        steps: the steps.
        records: earlier records.
    """
    spent: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    cost: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        for method in (record.spec.method, ""):
            key = (record.spec.task, method)
            spent[key].append((record.finished - record.started).total_seconds())
            if record.cost is not None:
                cost[key].append(record.cost.seconds)
    known = {}
    for step in steps:
        task = step.job.task
        of_method = spent if step.kind == "run" else cost
        if step.kind in ("run", "shadow"):
            found = of_method.get((task, step.job.method)) or of_method.get((task, ""))
        else:
            found = of_method.get((task, "retrain"))
        if found:
            known[step.step_id] = median(found)
    return known
