"""From runs to steps: originals and retrains first, each once, then the runs that use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from mmulbench.registry import METHODS
from mmulbench.results import RunResult, fingerprint
from mmulbench.sweeps.grid import Job

Kind = Literal["original", "retrain", "run"]


@dataclass(frozen=True)
class Step:
    """One piece of work of a sweep.

    Attributes:
        kind: train an original, train a retrain, or make a run.
        job: the run, or one of those that share the artifact.
        step_id: equal steps have equal ids.
        needs: ids of the steps that have to end before.
    """

    kind: Kind
    job: Job
    step_id: str
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The step in one line."""
        if self.kind == "run":
            return self.job.title
        shared = self.job.model_copy(
            update={"method": self.kind, "settings": shared_settings(self.job)}
            | ({"forget_size": None} if self.kind == "original" else {})
        )
        return shared.title


@dataclass(frozen=True)
class Plan:
    """All steps of a sweep, each after those that it needs."""

    steps: tuple[Step, ...]

    def of(self, kind: Kind) -> list[Step]:
        """The steps of one kind."""
        return [step for step in self.steps if step.kind == kind]


def make_plan(jobs: Sequence[Job], *, reference: bool) -> Plan:
    """The steps that a sweep's runs take.

    Args:
        jobs: the runs.
        reference: whether runs are compared with retrain.
    """
    originals: dict[str, Step] = {}
    retrains: dict[str, Step] = {}
    runs = []
    for job in jobs:
        artifact = [job.task, job.backbone, job.seed, *shared_settings(job)]
        original = fingerprint(["original", *artifact])[:12]
        originals.setdefault(original, Step("original", job, original))
        needs = [original]
        if reference or METHODS.get(job.method).is_reference:
            retrain = fingerprint(["retrain", *artifact, job.forget_size])[:12]
            retrains.setdefault(retrain, Step("retrain", job, retrain, (original,)))
            needs.append(retrain)
        runs.append(Step("run", job, job.job_id, tuple(needs)))
    return Plan((*originals.values(), *retrains.values(), *runs))


def shared_settings(job: Job) -> tuple[str, ...]:
    """Those settings of a job that originals and retrains depend on."""
    return tuple(item for item in job.settings if item.startswith(("recipe.", "task.")))


@dataclass(frozen=True)
class Estimate:
    """How long steps take, from earlier records.

    Attributes:
        seconds: of all steps that are known, one after the other.
        unknown: how many steps nothing is known of.
    """

    seconds: float
    unknown: int


def estimate(steps: Iterable[Step], records: Sequence[RunResult]) -> Estimate:
    """Estimate time from records, see `step_seconds`."""
    steps = list(steps)
    known = step_seconds(steps, records)
    return Estimate(sum(known.values()), len(steps) - len(known))


def step_seconds(steps: Iterable[Step], records: Sequence[RunResult]) -> dict[str, float]:
    """By step, how long it takes by records of the same task and method, else of the same task.

    A run's time is from its start to its end; an original takes as long as a retrain, whose cost is known.
    Steps of which nothing is known are left out.
    """
    of_method: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    training: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        spent = (record.finished - record.started).total_seconds()
        of_method[record.spec.task, record.spec.method].append(spent)
        of_method[record.spec.task, ""].append(spent)
        if record.spec.method == "retrain" and record.cost is not None:
            training[record.spec.task].append(record.cost.seconds)
    known = {}
    for step in steps:
        task = step.job.task
        if step.kind == "run":
            found = of_method.get((task, step.job.method)) or of_method.get((task, ""))
        else:
            found = training.get(task)
        if found:
            known[step.step_id] = median(found)
    return known
