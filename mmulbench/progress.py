"""What the user sees while waiting: the stage, a bar, and how long is left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mmulbench.errors import traceback_of
from mmulbench.plain_text import visible
from mmulbench.time_left import TimeLeft, duration

if TYPE_CHECKING:
    import rich.progress

    from mmulbench.time_left import Bar

T = TypeVar("T")

STAGES = ("data", "original", "retrain", "unlearn", "evaluate")
"""Names of the stages that every run has, in order."""

ROOM_FOR_BAR, ROOM_FOR_COUNT, ROOM_FOR_BOTH = 80, 60, 110
"""Fewest columns of a terminal with room for a bar; for numbers of steps; for a bar and the time so far."""

SHADOWS = "shadows"
"""Name of the stage of runs that are judged by shadow models, after all others."""


def place_of(stage: str) -> str:
    """Return a stage with its place among those that every run has: ``3/5 retrain``."""
    return stage if stage == SHADOWS else f"{STAGES.index(stage) + 1}/{len(STAGES)} {stage}"


class Track(Protocol):
    """Describes a function that shows a bar while it yields items, such as `Progress.track`."""

    def __call__(self, items: Iterable[T], total: int, description: str, /) -> Iterator[T]:
        """Yield the items while a bar counts them up to ``total``.

        Args:
            items: the items.
            total: number of items.
            description: text beside the bar.
        """
        ...


class Progress(AbstractContextManager["Progress"]):
    """Shows nothing: for scripts, tests and workers. The base of what shows something.

    Attributes:
        debug: whether the tracebacks of what fails are shown as notes.
        listens: whether anyone takes what `epoch` is told; where nobody does, it is not gathered.
    """

    debug: bool = False
    listens: bool = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""

    def plan(self, seeds: Sequence[int], *, shadows: bool = False) -> None:
        """Say which runs are to be made, so that the time left is that of all of them.

        Args:
            seeds: seed of each run, in their order.
            shadows: whether shadow models are made for each.
        """

    def run(self, title: str) -> None:
        """Say which run begins, in a few words."""

    def stage(self, name: str) -> None:
        """Say which stage begins: one of `STAGES`, or `SHADOWS`."""

    def note(self, line: str) -> None:
        """Show one line that stays."""

    def begin(self, name: str, settings: Mapping[str, Any]) -> None:
        """Say that a run, or a model that several runs share, begins to be made.

        Args:
            name: name of it that no other has, fit for a file.
            settings: everything that decides its numbers; may be nested.
        """

    def epoch(self, number: int, numbers: Mapping[str, float]) -> None:
        """Say what an epoch of the present stage came to.

        Args:
            number: number of the epoch, from 1.
            numbers: losses by name.
        """

    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Say what came of that which was begun.

        Args:
            status: how it ended, as in records.
            numbers: values and costs by name; empty where there are none.
        """

    def failure(self, error: BaseException) -> None:
        """Show the whole traceback of what made a part fail, where tracebacks are asked for."""
        if self.debug:
            for line in traceback_of(error).splitlines():
                self.note(line)

    def track(self, items: Iterable[T], total: int, description: str) -> Iterator[T]:
        """Yield the items while a bar counts them.

        Args:
            items: the items.
            total: number of items.
            description: text of the bar.
        """
        yield from items

    def counter(self, total: int, description: str) -> Callable[[], None]:
        """Show a bar that is advanced by hand: call the result once a step.

        Args:
            total: number of steps.
            description: text of the bar.
        """
        return lambda: None


class NotesOnly(Progress):
    """Writes notes to standard error, without bars, for --quiet and --json."""

    def note(self, line: str) -> None:
        """Print one line."""
        print(visible(line), file=sys.stderr)


def make_progress(*, bars: bool, debug: bool = False) -> Progress:
    """Return what shows how far the work is and notes, or notes alone; bars need a terminal.

    Args:
        bars: whether to show how far the work is.
        debug: whether to show the tracebacks of what fails.
    """
    shown = Bars if sys.stderr.isatty() else Lines
    progress = shown() if bars else NotesOnly()
    progress.debug = debug
    return progress


class Timed(Progress):
    """Knows how long the rest takes; the base of what shows that.

    Args:
        time_left: estimates it.
    """

    def __init__(self, time_left: TimeLeft | None = None) -> None:
        self.time_left = time_left or TimeLeft()
        self.title = ""
        self.place = ""

    def plan(self, seeds: Sequence[int], *, shadows: bool = False) -> None:
        """Take the runs for the estimate of the time left."""
        self.time_left.plan(seeds, (*STAGES[1:], *([SHADOWS] if shadows else [])))

    def run(self, title: str) -> None:
        """Begin the next run."""
        self.time_left.begin_run()
        self.title = title

    def stage(self, name: str) -> None:
        """Begin a stage."""
        self.place = place_of(name)
        self.time_left.begin_stage(name)

    @property
    def number(self) -> str:
        """Which of several runs this is; empty where there is one."""
        left = self.time_left
        return f"run {left.run_number} of {left.runs}" if left.runs > 1 and left.run_number else ""


class Lines(Timed):
    """Writes a line for each stage, and one a minute: for logs, and what else is no terminal.

    Args:
        time_left: estimates the time left.
        interval: seconds between two lines within a stage.
    """

    def __init__(self, time_left: TimeLeft | None = None, interval: float = 60.0) -> None:
        super().__init__(time_left)
        self._interval = interval
        self._last = self.time_left.now()

    def say(self, line: str) -> None:
        """Write one line, at once."""
        print(visible(line), file=sys.stderr, flush=True)

    def note(self, line: str) -> None:
        """Write one line."""
        self.say(line)

    def stage(self, name: str) -> None:
        """Write which stage begins."""
        super().stage(name)
        self._last = self.time_left.now()
        run = ", ".join(part for part in (self.number, self.title) if part)
        self.say(f"{self.place}{f' ({run})' if run else ''}")

    def track(self, items: Iterable[T], total: int, description: str) -> Iterator[T]:
        """Yield the items, and write how many are done once a minute."""
        bar = self.time_left.bar(total)
        try:
            for item in items:
                yield item
                bar.done += 1
                self._say_how_far(description)
        finally:
            self.time_left.end_bar(bar)

    def counter(self, total: int, description: str) -> Callable[[], None]:
        """Return what counts a step, and writes how many are done once a minute."""
        bar = self.time_left.bar(total)

        def advance() -> None:
            bar.done += 1
            self._say_how_far(description)
            if bar.done >= total:
                self.time_left.end_bar(bar)

        return advance

    def _say_how_far(self, description: str) -> None:
        if self.time_left.now() - self._last < self._interval:
            return
        self._last = self.time_left.now()
        where = ", ".join(part for part in (self.place, description) if part)
        self.say(f"{where}: {100 * self.time_left.part():.0f} %{how_long(self.time_left)}")


def how_long(time_left: TimeLeft) -> str:
    """Say how long the present work and all of it still take, as far as it is known."""
    here, whole = time_left.bar_left(), time_left.left()
    parts = [f", {duration(here)} left"] if here is not None else []
    if time_left.runs and whole is not None:
        parts.append(f"; about {duration(whole)} to the end")
    return "".join(parts)


class Bars(Timed):
    """Shows bars and notes on standard error, with rich, and how long all runs still take."""

    def __init__(self, time_left: TimeLeft | None = None) -> None:
        super().__init__(time_left)
        from rich.console import Console
        from rich.progress import Progress, ProgressColumn, Task
        from rich.text import Text

        self._console = Console(stderr=True)
        timer, brief = self.time_left, self._console.width < ROOM_FOR_COUNT

        class Left(ProgressColumn):
            """Shows how long the present work and all of it still take; in little room, all of it alone."""

            def render(self, task: Task) -> Text:
                """Return the times in words."""
                whole = timer.left()
                if brief:
                    return Text("" if whole is None else f"{duration(whole)} left")
                here = timer.bar_left()
                text = f"{duration(here)} left" if here is not None else ""
                if whole is not None and timer.runs:
                    text += f" (all: {duration(whole)})"
                return Text(text.lstrip())

        self._bars: rich.progress.Progress = Progress(
            *_columns(self._console.width),
            Left(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._counted: dict[rich.progress.TaskID, Bar] = {}

    def __enter__(self) -> Bars:
        """Start showing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        self._bars.stop()

    def note(self, line: str) -> None:
        """Print one line above the bars."""
        self._console.print(visible(line), markup=False, highlight=False, soft_wrap=True)

    def track(self, items: Iterable[T], total: int, description: str) -> Iterator[T]:
        """Yield the items while a bar counts them."""
        task = self._begin(total, description)
        try:
            for item in items:
                yield item
                self._advance(task)
        finally:
            self._end(task)

    def counter(self, total: int, description: str) -> Callable[[], None]:
        """Show a bar that is advanced by hand, and gone when it is full."""
        task = self._begin(total, description)

        def advance() -> None:
            if task in self._counted:
                self._advance(task)
                if self._counted[task].part >= 1:
                    self._end(task)

        return advance

    def _begin(self, total: int, description: str) -> rich.progress.TaskID:
        from rich.markup import escape

        number = f"{self.number}, " if self.number else ""
        prefix = f"[bold]\\[{number}{self.place}][/bold] " if self.place else ""
        task = self._bars.add_task(prefix + escape(description), total=total)
        self._counted[task] = self.time_left.bar(total)
        return task

    def _advance(self, task: rich.progress.TaskID) -> None:
        self._counted[task].done += 1
        self._bars.advance(task)

    def _end(self, task: rich.progress.TaskID) -> None:
        self.time_left.end_bar(self._counted.pop(task))
        self._bars.remove_task(task)


def _columns(width: int) -> list[rich.progress.ProgressColumn]:
    """Return what stands before the time left: what, a bar where there is room, how many, and since when."""
    from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    text = TextColumn("{task.description}", table_column=Column(overflow="fold"))
    columns: list[rich.progress.ProgressColumn] = [text]
    if width >= ROOM_FOR_BAR:
        columns.append(BarColumn(min(40, width - ROOM_FOR_BAR + 12)))
    columns.append(MofNCompleteColumn() if width >= ROOM_FOR_COUNT else TaskProgressColumn())
    if width >= ROOM_FOR_BOTH:
        columns.append(TimeElapsedColumn())
    return columns
