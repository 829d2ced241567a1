"""Tell how far a sweep is, from its folder and from Slurm: in any terminal, on any day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.kept_records import with_lost_records
from mmulbench.sweeps.plan import Step
from mmulbench.sweeps.slurm_status import StepStates, with_slurm
from mmulbench.sweeps.state import ENDED, StepState


class BegunStep(NamedTuple):
    """Holds a step that was begun.

    Attributes:
        step: the step.
        state: its state.
    """

    step: Step
    state: StepState


@dataclass(frozen=True)
class SweepStatus:
    """Holds how far a sweep is.

    Attributes:
        counts: number of steps by status; a step that waits is ``queued``, or ``cancelled`` where it is not
            to be started.
        trouble: steps that failed, diverged or were lost, or whose record was.
        running: steps under way.
        seconds_left: time until all is done with the workers that there are; None where it is not known.
        attended: whether somebody works on the sweep, or Slurm will.
        notes: lines on what Slurm says.
        stuck: lines on Slurm jobs that start only when somebody does something.
        is_standstill: whether nothing goes on until then.
    """

    counts: Mapping[str, int]
    trouble: Sequence[BegunStep]
    running: Sequence[BegunStep]
    seconds_left: float | None
    attended: bool
    notes: Sequence[str] = ()
    stuck: Sequence[str] = ()
    is_standstill: bool = False

    @property
    def is_in_trouble(self) -> bool:
        """Whether steps need somebody: they did not end well, or are stuck."""
        return bool(self.trouble or self.stuck)

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more unless somebody starts it."""
        return not any(self.counts.get(name) for name in ("queued", "running", "lost"))

    @property
    def is_complete(self) -> bool:
        """Whether every step has ended."""
        return self.is_over and not self.counts.get("cancelled")


def sweep_status(folder: SweepFolder, steps: Sequence[Step]) -> SweepStatus:
    """Return how far a sweep is.

    Args:
        folder: folder of the sweep.
        steps: steps that count.
    """
    slurm = with_slurm(folder)
    states = with_lost_records(slurm.states)
    begun = [BegunStep(step, states[step.step_id]) for step in steps if step.step_id in states]
    waits = "cancelled" if folder.is_cancelled else "queued"
    counts = Counter(waits if one.state.status == "queued" else one.state.status for one in begun)
    if len(begun) < len(steps):
        counts[waits] += len(steps) - len(begun)
    running = [one for one in begun if one.state.status == "running"]
    return SweepStatus(
        counts=counts,
        trouble=[one for one in begun if one.state.status in ("failed", "diverged", "lost")],
        running=running,
        seconds_left=_seconds_left(steps, states, max(1, len(running))) if waits == "queued" else None,
        attended=slurm.live or folder.is_attended,
        notes=[*slurm.notes, *_not_submitted(slurm, steps, states)],
        stuck=slurm.stuck,
        is_standstill=slurm.is_standstill,
    )


def _not_submitted(
    slurm: StepStates, steps: Sequence[Step], states: Mapping[str, StepState]
) -> Sequence[str]:
    """Return a line on the steps that are still to be submitted to Slurm, where there are such."""
    if slurm.submitted is None or not slurm.live:
        return []
    begun = {*slurm.submitted, *states}
    count = sum(step.step_id not in begun for step in steps)
    return [f"not submitted yet: {count}; mmulbench retry does it when Slurm has room"] if count else []


def _seconds_left(steps: Sequence[Step], states: Mapping[str, StepState], workers: int) -> float | None:
    """Estimate the time until all is done from steps of the same kind and task that have ended."""
    spent: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    waiting = []
    for step in steps:
        state = states.get(step.step_id)
        if state is None or state.status not in ENDED:
            waiting.append(step)
        elif state.ended is not None:
            spent[step.kind, step.job.task].append((state.ended - state.started).total_seconds())
    if not spent:
        return None
    other = median(seconds for times in spent.values() for seconds in times)
    usual = {key: median(times) for key, times in spent.items()}
    return sum(usual.get((step.kind, step.job.task), other) for step in waiting) / workers
