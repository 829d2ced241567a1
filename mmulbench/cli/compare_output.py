"""Print how two methods differ, a line for each value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich import box

from mmulbench.api.compare import Comparison, compare
from mmulbench.plain_text import one_line
from mmulbench.report.paired import Interval
from mmulbench.report.paired_rows import Compared
from mmulbench.tables import Column, WholeTable, show

SMALLEST = 0.001
"""Smallest p-value that is written out."""


MARKS = "* significant, at 5 % for all values together; u: over units alone, with the models as they are"
"""What the marks beside p-values mean."""


def print_comparison(first: str, second: str, options: Mapping[str, Any], *, as_json: bool) -> None:
    """Compare two methods and print the table.

    Args:
        first: one of both, as `mmulbench.api.compare.compare` takes it.
        second: the other.
        options: its further arguments.
        as_json: whether to print JSON.

    Raises:
        UsageError: They cannot be compared.
        MmulbenchError: A record does not hold.
    """
    found = compare(first, second, **options)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return
    show("", comparison_table(found), "", *found.notes)


def comparison_table(found: Comparison) -> WholeTable:
    """Tabulate a comparison; the difference is the first method's value less the second's.

    Args:
        found: the comparison.
    """
    names = one_line(found.first), one_line(found.second)
    seeds = f"seed{'s' if len(found.seeds) > 1 else ''} {', '.join(map(str, found.seeds))}"
    table = WholeTable(
        [
            Column("Value", folds=True),
            Column("A", drop=5, right=True),
            Column("B", drop=6, right=True),
            Column("retrain", drop=3, right=True),
            Column("A − B", right=True),
            Column("95 % interval,\nover seeds", drop=8, right=True),
            Column("95 % interval,\nover units", drop=4, right=True),
            Column("effect\nsize d", drop=2, right=True),
            Column("p, Holm", drop=9, right=True),
            Column("noise\nfloor", drop=1, right=True),
            Column("better", drop=7),
        ],
        title=f"A: {names[0]}\nB: {names[1]}\n{found.task}, {found.backbone}, {found.forget}, {seeds}",
        caption=MARKS,
        style={"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0), "show_edge": False},
    )
    for row in found.rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Compared) -> tuple[str, ...]:
    better = {"first": "A", "second": "B"}.get(row.better, "–") if row.is_significant else ""
    return (
        row.title,
        _number(row.first),
        _number(row.second),
        _number(row.retrain),
        _signed(row.difference),
        _interval(row.seed_interval),
        _interval(row.unit_interval),
        "–" if row.interval is None or row.interval.effect is None else _signed(row.interval.effect, 1),
        _p(row),
        _number(row.floor),
        better,
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if abs(value) < 1e4 else f"{value:.3g}"


def _signed(value: float, decimals: int = 3) -> str:
    text = f"{value:+.{decimals}f}" if abs(value) < 1e4 else f"{value:+.3g}"
    return text.replace("-", "−")


def _interval(found: Interval | None) -> str:
    return "–" if found is None else f"{_signed(found.low)} to {_signed(found.high)}"


def _p(row: Compared) -> str:
    """Write the corrected p-value, with a star where it is significant, and u where units alone decide."""
    if row.corrected is None:
        return "–"
    text = f"< {SMALLEST}" if row.corrected < SMALLEST else f"{row.corrected:.3f}"
    return f"{text}{'*' if row.is_significant else ' '}{'u' if row.basis == 'units' else ' '}"
