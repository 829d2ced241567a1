"""Show progress where there may be no terminal: in a notebook, and in the log of a script."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from mmulbench.plain_text import visible
from mmulbench.progress import Progress, place_of

T = TypeVar("T")

INTERVAL = 0.5
"""Time between two updates of a bar, in seconds."""


class NotebookBars(Progress):
    """Shows bars with tqdm, which draws widgets in a notebook that has them and lines of text elsewhere."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm tells that there are no widgets, and then does without
            from tqdm.auto import tqdm

        self._bar = tqdm
        self._stage = ""

    def __enter__(self) -> NotebookBars:
        """Return the bars, which need no start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bars as they are: each is closed by what it counts."""

    def stage(self, name: str) -> None:
        """Name the stage that the bars after this belong to.

        Args:
            name: one of `mmulbench.progress.STAGES`, or ``shadows``.
        """
        self._stage = f"[{place_of(name)}] "

    def note(self, line: str) -> None:
        """Print one line that stays.

        Args:
            line: what to say.
        """
        self._bar.write(visible(line), file=sys.stderr)

    def track(self, items: Iterable[T], total: int, description: str) -> Iterator[T]:
        """Yield the items while a bar counts them.

        Args:
            items: what is counted.
            total: how many there are.
            description: name of the bar.
        """
        yield from self._bar(
            items, desc=self._stage + description, total=total, leave=False, mininterval=INTERVAL
        )

    def counter(self, total: int, description: str) -> Callable[[], None]:
        """Return what advances a new bar by one; the bar closes when it is full.

        Args:
            total: how many steps there are.
            description: name of the bar.
        """
        bar = self._bar(desc=self._stage + description, total=total, leave=False, mininterval=INTERVAL)

        def advance() -> None:
            bar.update()
            if bar.n >= total:
                bar.close()

        return advance
