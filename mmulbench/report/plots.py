"""Draw figures of records as PNG, SVG and CSV, without pyplot and its global state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench.errors import UsageError
from mmulbench.hashing import fingerprint
from mmulbench.metrics.catalogue import with_role
from mmulbench.records.schema import RunResult
from mmulbench.records.store import folder_of_backbone
from mmulbench.report.aggregate import (
    ORIGINAL,
    RETRAIN,
    GroupKey,
    MethodRow,
    RecordGroup,
    SeedSummary,
    group_records,
)
from mmulbench.report.columns import Column, choose_columns
from mmulbench.report.histograms import score_figure
from mmulbench.report.style import BLACK, COLOURS, GREY, MARKERS, SETTINGS, save

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIRECTIONS = {
    "higher": "higher is better",
    "lower": "lower is better",
    "closest_to_retrain": "like retrain is best",
    "not_below_retrain": "not below retrain is best",
}


@dataclass(frozen=True)
class Axis:
    """Describes one axis: its name in the CSV, its label, and whether it is logarithmic."""

    column: str
    label: str
    log: bool = False


@dataclass(frozen=True)
class Point:
    """Places one row of a table in a plane; a coordinate is None where it has no place on the axis."""

    row: MethodRow
    x: SeedSummary | None
    y: SeedSummary | None


def write_plots(records: Sequence[RunResult], output: Path, metric: str | None = None) -> list[Path]:
    """Write every table's figures: forgetting against retention, scores before and after, cost against gap.

    Args:
        records: runs of any status; those that are not done are named in the legends.
        output: the folder for the files; made if it does not exist.
        metric: the headline metric on the retention axis; test utility for None.

    Returns:
        The files: ``<task>-<backbone>-<forget size>-<forgetting|scores|cost>.<png|svg|csv>``. Where tables
        differ in something else, 8 digits of a fingerprint of their key follow the forget size.

    Raises:
        UsageError: the metric is unknown, or no run is done.
        MmulbenchError: a file cannot be written.
    """
    import matplotlib as mpl

    (retention,) = choose_columns([with_role("utility")[0].name if metric is None else metric], records)
    groups = [group for group in group_records(records) if any(row.done for row in group.rows)]
    if not groups:
        what = "no run is done" if records else "there are no records"
        raise UsageError(f"{what}: nothing to plot; `mmulbench run --task TASK --method METHOD` makes one")
    collisions = Counter(_name(group.key) for group in groups)
    written: list[Path] = []
    with mpl.rc_context(SETTINGS):
        for group in groups:
            name = _name(group.key)
            if collisions[name] > 1:
                name += f"-{fingerprint(list(group.key))[:8]}"
            drawings = {
                "forgetting": forgetting_figure(group, retention),
                "scores": score_figure(group, _title(group)),
                "cost": cost_figure(group),
            }
            for kind, drawing in drawings.items():
                if drawing is not None:
                    written += save(*drawing, output / f"{name}-{kind}")
    return written


def forgetting_figure(group: RecordGroup, retention: Column) -> tuple[Figure, pd.DataFrame] | None:
    """Draw forgetting (the attack's distance to retrain's, worst path) against retention.

    Args:
        group: the table to draw.
        retention: the metric on the vertical axis.

    Returns:
        The figure and what it shows; None without points.
    """
    (attack,) = with_role("forgetting")
    points = [Point(row, row.distance(attack.name), row.summary(retention.name)) for row in group.rows]
    label = f"forgetting: |{attack.title} − retrain's| (0 is like retrain)"
    return _scatter(group, points, Axis(f"{attack.name}_distance_to_retrain", label), _axis(retention))


def cost_figure(group: RecordGroup) -> tuple[Figure, pd.DataFrame] | None:
    """Draw cost (seconds / retrain's seconds, logarithmic) against the gap to retrain; None without points.

    The original takes no time but that of a copy, which has no place on a logarithmic axis: it is a level.
    """
    (gap,) = with_role("distance")
    ratios = [None if row.method == ORIGINAL else row.cost("seconds_ratio") for row in group.rows]
    points = [
        Point(row, ratio if ratio is not None and ratio.mean > 0 else None, row.summary(gap.name))
        for row, ratio in zip(group.rows, ratios, strict=True)
    ]
    label = "cost: seconds / retrain's seconds (logarithmic)"
    return _scatter(group, points, Axis("seconds_ratio", label, log=True), _axis(Column.of(gap)))


def _axis(column: Column) -> Axis:
    return Axis(column.name, f"{column.title} ({DIRECTIONS[column.direction]})")


def _scatter(group: RecordGroup, points: list[Point], x: Axis, y: Axis) -> tuple[Figure, pd.DataFrame] | None:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    if not any(point.x and point.y for point in points):
        return None
    figure = Figure(figsize=(8.2, max(4.2, 0.21 * len(points) + 0.9)), layout="constrained")
    axes = figure.subplots()
    if x.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    handles: list[Any] = [
        _draw(axes, point, style) for point, style in zip(points, _styles(points), strict=True)
    ]
    if not x.log:
        axes.set_xlim(left=min(0.0, -0.03 * axes.get_xlim()[1]))
    axes.set_xlabel(x.label)
    axes.set_ylabel(y.label)
    axes.set_title(_title(group))
    axes.margins(0.08)
    figure.legend(handles=handles, loc="outside right upper", labelspacing=0.6)
    return figure, pd.DataFrame([_line(point, x, y) for point in points])


def _styles(points: list[Point]) -> list[tuple[str, str]]:
    """Choose colour and marker of each point: black for the references, else a pair of its own."""
    methods = iter(range(len(points)))
    fixed = {RETRAIN: (BLACK, "*"), ORIGINAL: (GREY, "X")}
    return [
        fixed.get(point.row.method)
        or (COLOURS[(i := next(methods)) % len(COLOURS)], MARKERS[i % len(MARKERS)])
        for point in points
    ]


def _draw(axes: Axes, point: Point, style: tuple[str, str]) -> Any:
    """Draw a point with its standard deviations, or a level where it has no x; give what the legend shows."""
    from matplotlib.lines import Line2D

    (colour, marker), row = style, point.row
    if row.method == RETRAIN and point.y is not None:
        axes.axhline(point.y.mean, color=colour, linewidth=0.8, linestyle="--", zorder=1)
    if point.x is None or point.y is None:
        if row.method == ORIGINAL and point.y is not None:
            return axes.axhline(point.y.mean, color=colour, linewidth=1.2, linestyle=":", label=row.label)
        return Line2D([], [], linestyle="none", label=f"{row.label}: {_why_absent(row)}")
    return axes.errorbar(
        point.x.mean,
        point.y.mean,
        xerr=point.x.sd or 0.0,
        yerr=point.y.sd or 0.0,
        color=colour,
        marker=marker,
        markersize=11 if marker == "*" else 7,
        markeredgecolor="white",
        markeredgewidth=0.6,
        elinewidth=1,
        capsize=2,
        linestyle="none",
        label=row.label,
        zorder=3,
    )


def _why_absent(row: MethodRow) -> str:
    """Say in the legend why a row has no point."""
    if row.done:
        return "not measured"
    return row.statuses().most_common(1)[0][0].replace("_", " ")


def _line(point: Point, x: Axis, y: Axis) -> dict[str, object]:
    """Return a point's line in the CSV; empty cells where it has no coordinate or a single seed."""
    line: dict[str, object] = {"method": point.row.label, "seeds": len(point.row.done)}
    for axis, summary in ((x, point.x), (y, point.y)):
        line[f"{axis.column}_mean"] = summary.mean if summary else None
        line[f"{axis.column}_sd"] = summary.sd if summary else None
    return line


def _name(key: GroupKey) -> str:
    backbone = folder_of_backbone(key.backbone)
    return f"{key.task}-{backbone}-{key.forget_size}"


def _title(group: RecordGroup) -> str:
    key, seeds = group.key, ", ".join(map(str, group.seeds))
    return f"{key.task}, {key.backbone}, forget size {key.forget_size}, seeds {seeds}"
