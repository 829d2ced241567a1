"""Estimate how long a command still takes, from the stages and bars that it has shown so far."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SHARES = {"data": 1.0, "original": 8.0, "retrain": 8.0, "unlearn": 3.0, "evaluate": 2.0, "shadows": 40.0}
"""How long stages usually take beside each other, for those of which nothing is known yet."""

SHARED = ("original", "retrain")
"""Stages whose work all runs of one seed share, so that only the first of them does it."""

KNOWN_FROM = 0.02
"""Least part of a bar that says how long the whole takes."""


@dataclass
class Bar:
    """Counts the steps of one piece of work.

    Attributes:
        total: number of its steps.
        begun: when it began, in seconds of the clock.
        done: number of steps that were made.
    """

    total: int
    begun: float
    done: int = 0

    @property
    def part(self) -> float:
        """Part of the steps that were made."""
        return min(self.done / self.total, 1.0) if self.total > 0 else 1.0


class TimeLeft:
    """Knows the stages that were gone through, and estimates from them how long the rest takes.

    Args:
        clock: tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seeds: list[int] = []
        self._stages: tuple[str, ...] = ()
        self._run = -1
        self._stage = ""
        self._begun = clock()
        self._took: dict[str, list[float]] = {}
        self._bars: list[Bar] = []

    def now(self) -> float:
        """Return the time in seconds of the clock."""
        return self._clock()

    @property
    def runs(self) -> int:
        """Number of runs that were announced."""
        return len(self._seeds)

    @property
    def run_number(self) -> int:
        """Number of the present run, from 1 on; 0 before the first."""
        return self._run + 1

    def plan(self, seeds: Sequence[int], stages: Sequence[str]) -> None:
        """Announce the runs of a command.

        Args:
            seeds: seed of each run, in their order.
            stages: stages that each run has.
        """
        self._seeds, self._stages, self._run = list(seeds), tuple(stages), -1

    def begin_run(self) -> None:
        """Say that the next run begins."""
        self._end_stage()
        self._run += 1

    def begin_stage(self, name: str) -> None:
        """Say that a stage begins, so that the one before is over.

        Args:
            name: name of the stage.
        """
        self._end_stage()
        self._stage, self._begun = name, self._clock()

    def bar(self, total: int) -> Bar:
        """Begin a piece of work of so many steps."""
        bar = Bar(total, self._clock())
        self._bars.append(bar)
        return bar

    def end_bar(self, bar: Bar) -> None:
        """Say that a piece of work is over."""
        self._bars = [one for one in self._bars if one is not bar]

    def part(self) -> float:
        """Return how much of the outermost piece of work is done, those within it included; 0 without one."""
        part = 0.0
        for bar in reversed(self._bars):
            part = min(bar.part + part / bar.total, 1.0) if bar.total > 0 else 1.0
        return part

    def bar_left(self) -> float | None:
        """Return the seconds that the outermost piece of work still takes; None while that is unknown."""
        part = self.part()
        if not self._bars or part < KNOWN_FROM:
            return None
        return (self._clock() - self._bars[0].begun) * (1 - part) / part

    def left(self) -> float | None:
        """Return the seconds that the whole command still takes; None while nothing is known of it."""
        here = self.bar_left()
        if not self._stages or self._run < 0:
            return here
        expected = self._expected(here)
        if expected is None:
            return None
        rest = here
        if rest is None:
            rest = max(expected[self._stage] - self._spent, 0.0) if self._stage else 0.0
        for name in self._stages_of(self._run):
            if not self._stage or self._is_after(name):
                rest += expected[name]
        later = range(self._run + 1, len(self._seeds))
        return rest + sum(expected[name] for number in later for name in self._stages_of(number))

    def _stages_of(self, number: int) -> list[str]:
        """Return the stages in which a run has work of its own to do."""
        is_new = self._seeds[number] not in self._seeds[:number]
        return [name for name in self._stages if is_new or name not in SHARED]

    def _is_after(self, name: str) -> bool:
        known = self._stages
        return self._stage in known and known.index(name) > known.index(self._stage)

    @property
    def _spent(self) -> float:
        """Seconds since the present stage began."""
        return self._clock() - self._begun

    def _expected(self, here: float | None) -> dict[str, float] | None:
        """Return the seconds that each stage takes; None while no stage took any time."""
        known = {name: statistics.fmean(times) for name, times in self._took.items() if name in self._stages}
        if here is not None:
            known[self._stage] = self._spent + here
        telling = [name for name, seconds in known.items() if name in SHARES and seconds >= 1]
        if not telling:
            return None
        scale = sum(known[name] for name in telling) / sum(SHARES[name] for name in telling)
        guessed = {name: scale * SHARES.get(name, 1.0) for name in {*self._stages, self._stage}}
        return {**guessed, **known}

    def _end_stage(self) -> None:
        started = self._stage and 0 <= self._run < len(self._seeds)
        if started and self._stage in self._stages_of(self._run):
            self._took.setdefault(self._stage, []).append(self._spent)
        self._stage = ""


def duration(seconds: float) -> str:
    """Say seconds in words."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
