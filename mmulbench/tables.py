"""Print tables whole: a narrow terminal loses columns, never parts of numbers; files get no padding."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

UNBOUNDED = 100_000
"""Characters of a line where nothing limits it: in files and pipes."""

READABLE = 16
"""Narrowest column that text is folded into while there are other columns that can be left out."""


@dataclass(frozen=True)
class Column:
    """Describes one column of a table.

    Attributes:
        heading: heading of the column; its lines are one below the other.
        drop: place in the order in which columns are left out where there is no room, 1 goes first; 0 stays.
        right: whether its cells, numbers mostly, are aligned on the right.
        folds: whether its texts may take several lines, rather than be kept in one.
    """

    heading: str = ""
    drop: int = 0
    right: bool = False
    folds: bool = False


@dataclass
class WholeTable:
    """Shows a table within the width that there is, and names the columns that there was no room for.

    Attributes:
        columns: its columns.
        title: line above the table.
        caption: what stands below it.
        style: further options of rich's table.
        rows: its lines, of cells without markup each, and whether a section ends after it.
    """

    columns: Sequence[Column]
    title: str = ""
    caption: str = ""
    style: dict[str, Any] = field(default_factory=dict)
    rows: list[tuple[tuple[str | Text, ...], bool]] = field(default_factory=list)

    def add_row(self, *cells: str | Text) -> None:
        """Add a line.

        Args:
            *cells: texts as they are, without markup; those that are left out are empty.
        """
        padded = (*cells, *("" for _ in range(len(self.columns) - len(cells))))
        self.rows.append((padded, False))

    def end_section(self) -> None:
        """Set the lines before apart from those that follow."""
        if self.rows:
            self.rows[-1] = (self.rows[-1][0], True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Show the columns that there is room for."""
        shown = list(range(len(self.columns)))
        dropped: list[int] = []
        for place in sorted((i for i in shown if self.columns[i].drop), key=lambda i: self.columns[i].drop):
            if self._needed(shown, console, options) <= options.max_width:
                break
            shown.remove(place)
            dropped.append(place)
        fits = self._needed(shown, console, options) <= options.max_width
        yield self._table(shown, folds_all=not fits)
        if names := ", ".join(" ".join(self.columns[one].heading.split()) for one in sorted(dropped)):
            yield Text(f"No room for: {names} (a wider terminal or a file has it)", style="dim")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Measure the whole table."""
        return Measurement.get(console, options, self._table(range(len(self.columns)), folds_all=False))

    def _table(self, places: Iterable[int], *, folds_all: bool) -> Table:
        chosen = list(places)
        table = Table(
            title=Text(self.title) if self.title else None,
            caption=Text(self.caption) if self.caption else None,
            title_justify="left",
            caption_justify="left",
            show_header=any(column.heading for column in self.columns),
            **{"box": None, "pad_edge": False, "padding": (0, 2, 0, 0), **self.style},
        )
        for column in (self.columns[place] for place in chosen):
            table.add_column(
                Text(column.heading),
                justify="right" if column.right else "left",
                no_wrap=not (column.folds or folds_all),
                overflow="fold",
            )
        for cells, ends in self.rows:
            table.add_row(*(_text(cells[place]) for place in chosen), end_section=ends)
        return table

    def _needed(self, places: Sequence[int], console: Console, options: ConsoleOptions) -> int:
        """Return the least width in which nothing is lost and texts are readable."""
        wide = options.update(width=UNBOUNDED)

        def natural(chosen: Sequence[int]) -> int:
            return Measurement.get(console, wide, self._table(chosen, folds_all=False)).maximum

        folding = [natural([place]) for place in places if self.columns[place].folds]
        return natural(places) - sum(max(0, width - READABLE) for width in folding)


def _text(cell: str | Text) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def show(*parts: RenderableType) -> None:
    """Print on standard output: within the width of a terminal; into files and pipes as wide as it is.

    Args:
        *parts: what is printed, one below the other; texts are taken as they are, without markup.
    """
    plain = [Text(part) if isinstance(part, str) else part for part in parts]
    if sys.stdout.isatty():
        console = Console(highlight=False)
        for part in plain:
            console.print(part)
        return
    collected = io.StringIO()
    console = Console(file=collected, width=UNBOUNDED, highlight=False)
    for part in plain:
        console.print(part)
    for line in collected.getvalue().splitlines():
        print(line.rstrip())


def show_line(*lines: str) -> None:
    """Print lines that nothing breaks, so that a command or a path in them can be copied.

    Args:
        *lines: the lines, without markup.
    """
    for line in lines:
        print(line)
