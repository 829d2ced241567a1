"""Describe figures: numbers, a way to draw them, or why there is none; and what all have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from mmulbench.report.aggregate import MethodRow, RecordGroup
from mmulbench.report.columns import Column
from mmulbench.report.noise_floor import GAP
from mmulbench.report.short_names import short_names

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SIZE = (5.2, 3.9)
"""Inches of a figure, which fits one column of a paper."""

TITLE_WIDTH, NAME_WIDTH = 44, 26
"""Characters of a line in a title, and of a name beside its line."""


@dataclass(frozen=True)
class Picture:
    """Holds a figure before it is drawn.

    Attributes:
        table: the numbers that it shows.
        draw: draws it.
    """

    table: pd.DataFrame
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Absent:
    """Says why there is no figure.

    Attributes:
        reason: what is missing, and what makes it.
    """

    reason: str


@dataclass(frozen=True)
class Subject:
    """Holds what a figure is drawn of.

    Attributes:
        tables: one table; those of several forget sizes for a figure that compares them.
        retention: the utility that is shown beside forgetting.
        results: the results folder, where scores by unit lie beside the records; None where it is unknown.
    """

    tables: tuple[RecordGroup, ...]
    retention: Column
    results: Path | None = None

    @property
    def table(self) -> RecordGroup:
        """The first table."""
        return self.tables[0]


def title_of(group: RecordGroup, size: bool = True) -> str:
    """Write the title of a table's figures, in lines that are shorter than the axes.

    Args:
        group: the table.
        size: whether the forget size is named.
    """
    key, seeds = group.key, ", ".join(map(str, group.seeds))
    what = f"{key.task}, {key.backbone}" + (f", {key.forget_text}" if size else "")
    return "\n".join(line for part in (what, f"seeds {seeds}") for line in wrap(part, TITLE_WIDTH))


def main_rows(group: RecordGroup) -> list[tuple[MethodRow, str]]:
    """Return the rows that the first table of a group shows, with their short names.

    They are the references and each method by its tuned settings, or its own where it has none; see
    `mmulbench.report.standing.MAIN`.

    Args:
        group: the table.
    """
    competing = group.competing()
    names = short_names(group.rows, competing)
    able = {row.label for row in competing if row.statuses()["not_applicable"] < len(row.records)}
    return [
        (row, names[row.label])
        for row in group.rows
        if row.records and (row.is_reference or row.label in able)
    ]


def methods_by_gap(group: RecordGroup) -> list[tuple[MethodRow, str]]:
    """Return the methods of a table that have numbers, with their short names, closest to retrain first.

    Args:
        group: the table.
    """
    rows = [(row, name) for row, name in main_rows(group) if row.done and not row.is_reference]
    gaps = {name: row.summary(GAP) for row, name in rows}
    return sorted(rows, key=lambda one: (math.inf if (gap := gaps[one[1]]) is None else gap.mean, one[1]))


def shortened(name: str, width: int = NAME_WIDTH) -> str:
    """Return a method's name as it stands beside its line: a long one is cut.

    Args:
        name: the name.
        width: most characters.
    """
    return name if len(name) <= width else f"{name[: width - 1]}…"
