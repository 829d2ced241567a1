"""What the user sees while waiting: the stage, a bar, and how long is left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar

from mmulbench.errors import traceback_of
from mmulbench.plain_text import visible

if TYPE_CHECKING:
    import rich.progress

T = TypeVar("T")

STAGES = ("data", "original", "retrain", "unlearn", "evaluate")
"""Names of the stages that every run has, in order."""

SHADOWS = "shadows"
"""Name of the stage of runs that are judged by shadow models, after all others."""


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
    """

    debug: bool = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""

    def stage(self, name: str) -> None:
        """Say which stage begins: one of `STAGES`, or `SHADOWS`."""

    def note(self, line: str) -> None:
        """Show one line that stays."""

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
    """Return what shows bars and notes, or notes alone.

    Args:
        bars: whether to show bars.
        debug: whether to show the tracebacks of what fails.
    """
    progress = Bars() if bars else NotesOnly()
    progress.debug = debug
    return progress


class Bars(Progress):
    """Shows bars and notes on standard error, with rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = Console(stderr=True)
        self._bars: rich.progress.Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._stage = ""

    def __enter__(self) -> Bars:
        """Start showing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        self._bars.stop()

    def stage(self, name: str) -> None:
        """Set the prefix of the bars that follow."""
        place = "" if name == SHADOWS else f"{STAGES.index(name) + 1}/{len(STAGES)} "
        self._stage = f"[bold]\\[{place}{name}][/bold] "

    def note(self, line: str) -> None:
        """Print one line above the bars."""
        self._console.print(visible(line), markup=False, highlight=False, soft_wrap=True)

    def track(self, items: Iterable[T], total: int, description: str) -> Iterator[T]:
        """Yield the items while a bar counts them."""
        task = self._bars.add_task(self._stage + description, total=total)
        try:
            for item in items:
                yield item
                self._bars.advance(task)
        finally:
            self._bars.remove_task(task)

    def counter(self, total: int, description: str) -> Callable[[], None]:
        """Show a bar that is advanced by hand, and gone when it is full."""
        task = self._bars.add_task(self._stage + description, total=total)

        def advance() -> None:
            if task in self._bars.task_ids:
                self._bars.advance(task)
            if any(item.finished for item in self._bars.tasks if item.id == task):
                self._bars.remove_task(task)

        return advance
