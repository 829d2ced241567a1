"""Draw where each method takes each path: from the original, past or to retrain, as small multiples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mmulbench.metrics.catalogue import with_role
from mmulbench.report.aggregate import MethodRow, RecordGroup, SeedSummary
from mmulbench.report.columns import Column, choose_columns, part_columns
from mmulbench.report.figures.picture import (
    SIZE,
    Absent,
    Picture,
    Subject,
    methods_by_gap,
    shortened,
    title_of,
)
from mmulbench.report.noise_floor import NoiseFloor
from mmulbench.report.style import BAND, BLACK, COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORGETTING = ("mia", "forget_vs_retain_auc")
"""Metrics that tell whether the forget set is known, each a row of panels with one for each path."""

MOST = 30
"""Most methods in a figure, those closest to retrain; the table has all."""

PANEL, MARGIN = 1.2, 1.7
"""Inches of a panel from left to right, and of the names beside the first."""

LINE, AROUND = 0.135, 0.75
"""Inches of a method's line in a panel, and of what is around its lines."""

CLOSE = 0.45
"""Part of a panel's width below which two names above its lines would meet."""


@dataclass(frozen=True)
class Move:
    """Holds a value of one method beside those of the original and of retrain, over the method's seeds."""

    name: str
    column: Column
    value: SeedSummary
    original: float | None
    retrain: float | None


@dataclass(frozen=True)
class Panel:
    """Holds the moves of all methods in one value, and how far two retrains lie apart in it."""

    column: Column
    moves: tuple[Move, ...]
    floor: float | None


def paths_figure(subject: Subject) -> Picture | Absent:
    """Show attack and Df|Dr AUC on each path, and utilities: original, method and retrain.

    Args:
        subject: the table; its methods stand in the order of their gap.
    """
    import pandas as pd

    group = subject.table
    rows = methods_by_gap(group)
    panels = [[_panel(group, rows, column) for column in line] for line in _columns(rows)]
    moves = [move for line in panels for panel in line for move in panel.moves]
    if not moves:
        return Absent("no method has a value of a path")
    floors = {panel.column.name: panel.floor for line in panels for panel in line}
    table = pd.DataFrame([_line(move, floors[move.column.name]) for move in moves])
    return Picture(table, partial(_draw, group, [name for _, name in rows], panels))


def _columns(rows: Sequence[tuple[MethodRow, str]]) -> list[list[Column]]:
    """Return two lines of values: of one metric on each path, and a utility."""
    records = [record for row, _ in rows for record in row.done]
    utilities = [Column.of(metric) for metric in with_role("utility")]
    metrics = choose_columns(FORGETTING, {})
    return [
        [*part_columns([metric], records), *utilities[place : place + 1]]
        for place, metric in enumerate(metrics)
    ]


def _panel(group: RecordGroup, rows: Sequence[tuple[MethodRow, str]], column: Column) -> Panel:
    floor = NoiseFloor.of(group, column.name)
    return Panel(column, tuple(_moves(rows, column)), None if floor is None else floor.mean)


def _moves(rows: Sequence[tuple[MethodRow, str]], column: Column) -> Iterator[Move]:
    for row, name in rows:
        values = [value for _, value in row.values(column.name)]
        found = row.summary(column.name)
        if found is not None:
            original, retrain = (
                [getattr(value, side) for value in values] for side in ("original", "retrain")
            )
            yield Move(name, column, found, _mean(original), _mean(retrain))


def _mean(numbers: Sequence[float | None]) -> float | None:
    found = SeedSummary.of(number for number in numbers if number is not None)
    return None if found is None else found.mean


def _line(move: Move, floor: float | None) -> dict[str, object]:
    return {
        "method": move.name,
        "value": move.column.name,
        "seeds": move.value.n,
        "original": move.original,
        "mean": move.value.mean,
        "sd": move.value.sd,
        "retrain": move.retrain,
        "noise_floor": floor,
    }


def _draw(group: RecordGroup, names: Sequence[str], panels: Sequence[Sequence[Panel]]) -> Figure:
    from matplotlib.figure import Figure

    names, left_out = names[:MOST], names[MOST:]
    wide = max(map(len, panels))
    height = 0.45 + len(panels) * (LINE * (len(names) + 1) + AROUND) + (0.2 if left_out else 0)
    figure = Figure(figsize=(max(SIZE[0], MARGIN + PANEL * wide), height), layout="constrained")
    grid = figure.subplots(len(panels), wide, squeeze=False, sharey=True)
    for axes in grid.flat:
        axes.set_axis_off()
    for line, of_line in zip(grid, panels, strict=True):
        for axes, panel in zip(line, of_line, strict=False):
            axes.set_axis_on()
            _draw_panel(axes, panel, names)
        line[0].set_ylim(len(names) - 0.5, -1.6)
        line[0].set_yticks(range(len(names)), [shortened(name) for name in names], fontsize=7)
    _share_span([axes for line in grid for axes in line[: wide - 1]])
    _name_ends(grid[0, 0], panels[0][0])
    if left_out:
        note = f"closest {MOST} to retrain; {len(left_out)} more are in the table"
        figure.supxlabel(note, fontsize=7, x=0.01, ha="left")
    figure.suptitle(title_of(group), x=0.01, ha="left", fontsize=9)
    return figure


def _draw_panel(axes: Axes, panel: Panel, names: Sequence[str]) -> None:
    """Draw a line for each method, from the original's value to its own, and a bar where retrain's is."""
    from matplotlib.ticker import MaxNLocator

    metric, _, path = panel.column.title.partition(", ")
    axes.set_title(f"{metric}\n{path}", fontsize=8)
    axes.margins(x=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(labelsize=7, left=False)
    axes.grid(visible=False, axis="y")
    retrain = _mean([move.retrain for move in panel.moves])
    if retrain is not None and panel.floor is not None:
        axes.axvspan(retrain - panel.floor, retrain + panel.floor, color=BAND, linewidth=0, zorder=0)
    for move in panel.moves:
        if move.name not in names:
            continue
        place = names.index(move.name)
        colour = COLOURS[place % len(COLOURS)]
        if move.original is not None:
            axes.plot([move.original, move.value.mean], [place, place], color=colour, linewidth=1.2, zorder=2)
            axes.plot(move.original, place, color=GREY, marker="x", markersize=4, zorder=3)
        if move.retrain is not None:
            axes.plot(move.retrain, place, color=BLACK, marker="|", markersize=8, zorder=3)
        bar = move.value.sd or 0.0
        axes.errorbar(
            move.value.mean,
            place,
            xerr=bar,
            color=colour,
            marker="o",
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.4,
            elinewidth=0.7,
            zorder=4,
        )


def _share_span(panels: Sequence[Axes]) -> None:
    """Give panels of AUCs one span, so that paths can be compared."""
    spans = [axes.get_xlim() for axes in panels if axes.has_data()]
    for axes in panels if spans else ():
        axes.set_xlim(min(low for low, _ in spans), max(high for _, high in spans))


def _name_ends(axes: Axes, panel: Panel) -> None:
    """Write above the first panel's lines where original and retrain are: apart where they lie close."""
    ends = [
        (mean, side, colour)
        for side, colour in (("original", GREY), ("retrain", BLACK))
        if (mean := _mean([getattr(move, side) for move in panel.moves])) is not None
    ]
    ends.sort()
    low, high = axes.get_xlim()
    are_close = len(ends) > 1 and ends[1][0] - ends[0][0] < CLOSE * (high - low)
    for (mean, text, colour), side in zip(ends, ("right", "left"), strict=False):
        axes.text(mean, -1.0, text, color=colour, fontsize=7, ha=side if are_close else "center", va="center")
