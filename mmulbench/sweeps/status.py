"""How far a sweep is, from its folder and from Slurm: any terminal, any day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.plan import Step
from mmulbench.sweeps.slurm_jobs import with_slurm
from mmulbench.sweeps.state import ENDED, StepState


@dataclass(frozen=True)
class Standing:
    """How far a sweep is.

    Attributes:
        counts: steps by status; what waits is ``queued``, or ``cancelled`` where it is not to be started.
        trouble: failed, diverged and lost steps with their states.
        running: steps under way.
        seconds_left: of work, spread over the workers that there are; None where nothing is known.
        attended: whether somebody works on it, or Slurm will.
        notes: lines on what Slurm says.
    """

    counts: Mapping[str, int]
    trouble: Sequence[tuple[Step, StepState]]
    running: Sequence[tuple[Step, StepState]]
    seconds_left: float | None
    attended: bool
    notes: Sequence[str] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more unless somebody starts it."""
        return not any(self.counts.get(name) for name in ("queued", "running", "lost"))

    @property
    def is_complete(self) -> bool:
        """Whether every step has ended."""
        return self.is_over and not self.counts.get("cancelled")


def standing(folder: SweepFolder, steps: Sequence[Step]) -> Standing:
    """How far a sweep is."""
    seen = with_slurm(folder)
    states = seen.states
    found = [(step, states.get(step.step_id)) for step in steps]
    waits = "cancelled" if folder.is_cancelled else "queued"
    counts = Counter(
        waits if state is None or state.status == "queued" else state.status for _, state in found
    )
    known = [(step, state) for step, state in found if state is not None]
    running = [(step, state) for step, state in known if state.status == "running"]
    return Standing(
        counts=counts,
        trouble=[(s, state) for s, state in known if state.status in ("failed", "diverged", "lost")],
        running=running,
        seconds_left=_left(found, max(1, len(running))) if waits == "queued" else None,
        attended=seen.live or folder.is_attended,
        notes=seen.notes,
    )


def _left(found: Sequence[tuple[Step, StepState | None]], workers: int) -> float | None:
    """Seconds until all is done, if what waits takes as long as what has ended of its kind and task."""
    taken: dict[tuple[str, str], list[float]] = {}
    for step, state in found:
        if state is not None and state.status in ENDED and state.ended is not None:
            spent = (state.ended - state.started).total_seconds()
            taken.setdefault((step.kind, step.job.task), []).append(spent)
    if not taken:
        return None
    other = median(spent for times in taken.values() for spent in times)
    waiting = [step for step, state in found if state is None or state.status not in ENDED]
    by_kind = {key: median(times) for key, times in taken.items()}
    return sum(by_kind.get((step.kind, step.job.task), other) for step in waiting) / workers
