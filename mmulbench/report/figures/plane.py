"""Draw the rows of a table as points in a plane, each with its name beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mmulbench.metrics.catalogue import with_role
from mmulbench.records.published import UTILITY_TOLERANCE
from mmulbench.report.aggregate import ORIGINAL, RETRAIN, RETRAIN_AGAIN, MethodRow, RecordGroup, SeedSummary
from mmulbench.report.columns import Column
from mmulbench.report.figures.picture import SIZE, Absent, Picture, title_of
from mmulbench.report.figures.point_labels import Named, write_labels
from mmulbench.report.style import BAND, BLACK, COLOURS, GREY, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIRECTIONS = {
    "higher": "higher is better",
    "lower": "lower is better",
    "closest_to_retrain": "like retrain is best",
    "not_below_retrain": "not below retrain is best",
}

LABEL_WIDTH = 30
NOTE_WIDTH = 88
"""Characters of a line in names of points, and of the line on rows without a point."""

LINE = 0.13
MOST_LINES = 8
"""Inches that each further line below the axes adds to the figure, and how many there are at most."""


@dataclass(frozen=True)
class Axis:
    """Describes one axis.

    Attributes:
        column: its name in the CSV.
        label: what stands beside it.
        log: whether it is logarithmic.
        floor: how far two retrains lie apart; None where that is not known or the axis shows no distance.
    """

    column: str
    label: str
    log: bool = False
    floor: float | None = None


@dataclass(frozen=True)
class Point:
    """Places one row of a table in a plane.

    Attributes:
        row: the row.
        name: what it is called.
        x: its place from left to right, None where it has none on the axis.
        y: its place from bottom to top.
        path: association path that a coordinate is of; empty where none is chosen.
    """

    row: MethodRow
    name: str
    x: SeedSummary | None
    y: SeedSummary | None
    path: str = ""

    @property
    def is_hollow(self) -> bool:
        """Whether the row lost utility: it is out of competition."""
        lost = (self.row.difference(metric.name) for metric in with_role("utility"))
        return any(one is not None and round(one.mean, 9) < -UTILITY_TOLERANCE for one in lost)


def axis_of(column: Column) -> Axis:
    """Return the axis of a value.

    Args:
        column: the value.
    """
    return Axis(column.name, f"{column.title} ({DIRECTIONS[column.direction]})")


def plane(group: RecordGroup, points: list[Point], x: Axis, y: Axis) -> Picture | Absent:
    """Return the figure of points in a plane.

    Args:
        group: the table.
        points: its rows; those without a place are named below the axes.
        x: the axis from left to right.
        y: the axis from bottom to top.
    """
    import pandas as pd

    if not any(point.x and point.y for point in points):
        return Absent("no row has both values")
    table = pd.DataFrame([_line(point, x, y) for point in points])
    return Picture(table, partial(_drawn, group, points, x, y))


def _drawn(group: RecordGroup, points: list[Point], x: Axis, y: Axis) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    absent = _absent(points)
    figure = Figure(figsize=(SIZE[0], SIZE[1] + LINE * max(0, len(absent) - 1)), layout="constrained")
    axes = figure.subplots()
    styles = _styles(points)
    for point, style in zip(points, styles, strict=True):
        _draw(axes, point, style)
    axes.margins(0.12)
    _scale(axes, x)
    handles = list(_notes(axes, points, x, y))
    axes.set_xlabel(x.label, fontsize=8)
    axes.set_ylabel(y.label, fontsize=8)
    axes.tick_params(labelsize=8)
    figure.suptitle(title_of(group), x=0.01, ha="left", fontsize=9)
    if handles or absent:
        below = figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=7.5)
        below.set_title("\n".join(absent), prop=FontProperties(size=7))
        below.set_alignment("left")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    levels = [p.y.mean for p in points if p.y and (p.row.method == RETRAIN or _is_level(p))]
    write_labels(axes, list(_named(axes, points, styles)), levels)
    return figure


def _named(axes: Axes, points: list[Point], styles: list[tuple[str, str]]) -> Iterator[Named]:
    """Yield what gets a label: points, and the level of the original, which is named at its right end."""
    for point, (colour, marker) in zip(points, styles, strict=True):
        name = "\n".join(wrap(point.name, LABEL_WIDTH, max_lines=3, placeholder=" …"))
        if point.x and point.y:
            bars = (point.x.sd or 0.0, point.y.sd or 0.0)
            yield Named(name, point.x.mean, point.y.mean, colour, 6.0 if marker == "*" else 4.5, bars)
        elif _is_level(point) and point.y:
            yield Named(name, axes.get_xlim()[1], point.y.mean, colour, 1.0)


def _is_level(point: Point) -> bool:
    """Check whether a line stands for a row: the original, where it has no place from left to right."""
    return point.row.method == ORIGINAL and point.x is None and point.y is not None


def _absent(points: list[Point]) -> list[str]:
    """Name the rows that cannot be drawn, by the reason, in lines; none where all are drawn."""
    reasons: dict[str, list[str]] = {}
    for point in points:
        if not (point.x and point.y) and not _is_level(point):
            reasons.setdefault(_why_absent(point.row), []).append(point.name)
    text = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in reasons.items())
    return wrap(f"Not drawn, {text}", NOTE_WIDTH, max_lines=MOST_LINES, placeholder=" …") if text else []


def _scale(axes: Axes, x: Axis) -> None:
    """Make the horizontal axis logarithmic, or have it begin at 0."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if x.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(left=min(0.0, -0.03 * axes.get_xlim()[1]))


def _notes(axes: Axes, points: list[Point], x: Axis, y: Axis) -> Iterator[Any]:
    """Shade what is below the noise floor, and yield what the legend says of shade and hollow markers."""
    from matplotlib.lines import Line2D

    for axis, shade in ((x, axes.axvspan), (y, axes.axhspan)):
        if axis.floor is not None:
            yield shade(0, axis.floor, color=BAND, zorder=0, linewidth=0, label="noise floor: two retrains")
    if any(point.is_hollow and point.x and point.y for point in points):
        label = f"hollow: test or retain utility over {100 * UTILITY_TOLERANCE:g} points below retrain"
        yield Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="none", label=label)


def _styles(points: list[Point]) -> list[tuple[str, str]]:
    """Choose colour and marker of each point: black for the references, else a pair of its own."""
    methods = iter(range(len(points)))
    fixed = {RETRAIN: (BLACK, "*"), RETRAIN_AGAIN: (BLACK, "d"), ORIGINAL: (GREY, "X")}
    return [
        fixed.get(point.row.method)
        or (COLOURS[(i := next(methods)) % len(COLOURS)], MARKERS[i % len(MARKERS)])
        for point in points
    ]


def _draw(axes: Axes, point: Point, style: tuple[str, str]) -> None:
    """Draw a point with its standard deviations, or a level where it has no x."""
    (colour, marker), row = style, point.row
    if row.method == RETRAIN and point.y is not None:
        axes.axhline(point.y.mean, color=colour, linewidth=0.8, linestyle="--", zorder=1)
    if _is_level(point) and point.y is not None:
        axes.axhline(point.y.mean, color=colour, linewidth=1.2, linestyle=":")
    if point.x is None or point.y is None:
        return
    axes.errorbar(
        point.x.mean,
        point.y.mean,
        xerr=point.x.sd or 0.0,
        yerr=point.y.sd or 0.0,
        color=colour,
        marker=marker,
        markersize=10 if marker == "*" else 6,
        markerfacecolor="white" if point.is_hollow else colour,
        markeredgecolor=colour if point.is_hollow else "white",
        markeredgewidth=1.2 if point.is_hollow else 0.6,
        elinewidth=0.8,
        capsize=1.5,
        linestyle="none",
        label=point.name,
        zorder=3,
    )


def _why_absent(row: MethodRow) -> str:
    """Say why a row has no point."""
    if row.done:
        return "not measured"
    return row.statuses().most_common(1)[0][0].replace("_", " ")


def _line(point: Point, x: Axis, y: Axis) -> dict[str, object]:
    """Return a point's line in the CSV; empty cells where it has no coordinate or a single seed."""
    line: dict[str, object] = {"method": point.name, "seeds": len(point.row.done_seeds)}
    line["lost_utility"] = point.is_hollow
    if point.path:
        line["path"] = point.path
    for axis, summary in ((x, point.x), (y, point.y)):
        line[f"{axis.column}_mean"] = summary.mean if summary else None
        line[f"{axis.column}_sd"] = summary.sd if summary else None
    return line
