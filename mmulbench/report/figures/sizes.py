"""Draw how gap, attack and test utility change with the number of units that are forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from textwrap import wrap
from typing import TYPE_CHECKING

from mmulbench.metrics.catalogue import with_role
from mmulbench.report.aggregate import MethodRow, RecordGroup, SeedSummary
from mmulbench.report.columns import Column, furthest, part_columns
from mmulbench.report.figures.picture import (
    SIZE,
    Absent,
    Picture,
    Subject,
    methods_by_gap,
    shortened,
    title_of,
)
from mmulbench.report.noise_floor import GAP, NoiseFloor
from mmulbench.report.style import BAND, BLACK, COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 14
"""Most methods in a figure, those closest to retrain at the largest size; the table has all."""

LINE, AROUND = 0.62, 1.2
"""Inches of a method's line of panels, and of what is around the lines."""

NOTE_WIDTH = 104
"""Characters of a line in the note below."""

OTHERS = "#bdbdbd"
"""Colour of the lines of other methods."""


@dataclass(frozen=True)
class Curve:
    """Describes what is shown over forget sizes.

    Attributes:
        name: name of its column in the CSV.
        title: heading of its panels.
        numbers: returns a row's number in each seed.
        floor: returns how far two retrains of a table lie apart; None where that is unknown.
        is_signed: whether numbers lie on both sides of retrain's.
    """

    name: str
    title: str
    numbers: Callable[[MethodRow], dict[int, float]]
    floor: Callable[[RecordGroup], float | None]
    is_signed: bool = False


def sizes_figure(subject: Subject) -> Picture | Absent:
    """Show gap, attack and test utility against forget size, each method over those of the others.

    Of the attack it is the distance to retrain's on the path where a method is furthest from it.

    Args:
        subject: tables that differ in their forget size alone.
    """
    import pandas as pd

    tables = sorted(subject.tables, key=lambda group: group.key.forget_size)
    lines = [line for group in tables for line in _lines(group)]
    table = pd.DataFrame(lines)
    counts = table.groupby("method")["forget_size"].nunique() if lines else None
    several = [] if counts is None else [name for name in counts.index if counts[name] > 1]
    if not several:
        return Absent("no method has records of several forget sizes; `mmulbench sweep` takes several")
    largest = [name for _, name in methods_by_gap(tables[-1])]
    order = sorted(several, key=lambda name: (largest.index(name) if name in largest else len(largest), name))
    return Picture(table, partial(_draw, tables, order, table))


def _curves() -> tuple[Curve, ...]:
    (attack,) = with_role("forgetting")
    utility = with_role("utility")[0]
    return (
        Curve("gap", "Gap\n", lambda row: row.by_seed(GAP), partial(_floor, key=GAP)),
        Curve("attack", f"{attack.title}\n|Δ to retrain|", _attack, _attack_floor),
        Curve(
            "utility",
            f"{utility.title}\nΔ to retrain",
            lambda row: row.differences(utility.name),
            partial(_floor, key=utility.name),
            is_signed=True,
        ),
    )


def _paths(records: Sequence[MethodRow]) -> list[Column]:
    (attack,) = with_role("forgetting")
    return part_columns([Column.of(attack)], [record for row in records for record in row.done])


def _attack(row: MethodRow) -> dict[int, float]:
    column = furthest(row, _paths([row]))
    return {} if column is None else row.distances(column.name)


def _attack_floor(group: RecordGroup) -> float | None:
    floors = [NoiseFloor.of(group, column.name) for column in _paths(group.rows)]
    return max((floor.mean for floor in floors if floor is not None), default=None)


def _floor(group: RecordGroup, key: str) -> float | None:
    floor = NoiseFloor.of(group, key)
    return None if floor is None else floor.mean


def _lines(group: RecordGroup) -> list[dict[str, object]]:
    """Return what is shown of a table: for each method mean, least and largest over seeds."""
    curves = _curves()
    floors = {f"{curve.name}_floor": curve.floor(group) for curve in curves}
    lines = []
    for row, name in methods_by_gap(group):
        line: dict[str, object] = {"method": name, "forget_size": group.key.forget_size}
        line["seeds"] = len(row.done_seeds)
        for curve in curves:
            numbers = list(curve.numbers(row).values())
            found = SeedSummary.of(numbers)
            line[f"{curve.name}_mean"] = None if found is None else found.mean
            line[f"{curve.name}_low"] = min(numbers, default=None)
            line[f"{curve.name}_high"] = max(numbers, default=None)
        lines.append(line | floors)
    return lines


def _draw(tables: Sequence[RecordGroup], names: Sequence[str], table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    shown, left_out = names[:MOST], names[MOST:]
    curves = _curves()
    size = (SIZE[0], AROUND + LINE * len(shown) + (0.15 if left_out else 0))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(shown), len(curves), squeeze=False, sharex=True, sharey="col")
    for line, name in zip(grid, shown, strict=True):
        for axes, curve in zip(line, curves, strict=True):
            _draw_panel(axes, curve, name, table)
        line[0].set_ylabel(shortened(name), rotation=0, ha="right", va="center", fontsize=7, color=BLACK)
    for axes, curve in zip(grid[0], curves, strict=True):
        axes.set_title(curve.title, fontsize=8)
    for axes in grid[-1]:
        _scale(axes, [group.key.forget_size for group in tables])
    rest = f"; closest {MOST} to retrain, {len(left_out)} more are in the table" if left_out else ""
    note = f"units in the forget set; band: least to most over seeds; grey: other methods, two retrains{rest}"
    figure.supxlabel("\n".join(wrap(note, NOTE_WIDTH)), fontsize=7, x=0.01, ha="left")
    figure.suptitle(title_of(tables[-1], size=False), x=0.01, ha="left", fontsize=9)
    return figure


def _draw_panel(axes: Axes, curve: Curve, name: str, table: pd.DataFrame) -> None:
    """Draw one method over all others, which are grey, and over what two retrains differ by."""
    mean, low, high = (f"{curve.name}_{what}" for what in ("mean", "low", "high"))
    floors = table.drop_duplicates("forget_size").dropna(subset=[f"{curve.name}_floor"])
    floor = floors[f"{curve.name}_floor"].astype(float)
    below = -floor if curve.is_signed else 0 * floor
    axes.fill_between(floors["forget_size"], below, floor, color=BAND, linewidth=0, zorder=0)
    for other, lines in table.dropna(subset=[mean]).groupby("method"):
        own = other == name
        colour = COLOURS[0] if own else OTHERS
        axes.plot(lines["forget_size"], lines[mean], color=colour, linewidth=0.6 + own, zorder=2 + own)
        if own:
            axes.plot(lines["forget_size"], lines[mean], color=colour, marker="o", markersize=3, zorder=4)
            axes.fill_between(
                lines["forget_size"], lines[low], lines[high], color=colour, alpha=0.25, linewidth=0, zorder=1
            )
    axes.tick_params(labelsize=7)
    axes.margins(y=0.1)


def _scale(axes: Axes, sizes: Sequence[int]) -> None:
    """Make an axis of forget sizes logarithmic, with those that there are written at it."""
    from matplotlib.ticker import NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=7)
