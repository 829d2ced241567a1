"""How far a sweep is, from its folder alone: any terminal, any day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from mmulbench.sweeps.folder import ENDED, StepState, SweepFolder
from mmulbench.sweeps.plan import Step


@dataclass(frozen=True)
class Standing:
    """How far a sweep is.

    Attributes:
        counts: steps by status; what waits is ``queued``.
        trouble: failed, diverged and lost steps with their states.
        running: steps under way.
        seconds_left: of work, spread over the workers that there are; None where nothing is known.
    """

    counts: Mapping[str, int]
    trouble: Sequence[tuple[Step, StepState]]
    running: Sequence[tuple[Step, StepState]]
    seconds_left: float | None

    @property
    def is_over(self) -> bool:
        """Whether every step has ended."""
        return not any(self.counts.get(name) for name in ("queued", "running", "lost"))


def standing(folder: SweepFolder, steps: Sequence[Step]) -> Standing:
    """How far a sweep is."""
    states = folder.states()
    found = [(step, states.get(step.step_id)) for step in steps]
    counts = Counter(state.status if state is not None else "queued" for _, state in found)
    known = [(step, state) for step, state in found if state is not None]
    running = [(step, state) for step, state in known if state.status == "running"]
    return Standing(
        counts=counts,
        trouble=[(s, state) for s, state in known if state.status in ("failed", "diverged", "lost")],
        running=running,
        seconds_left=_left(found, max(1, len(running))),
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
