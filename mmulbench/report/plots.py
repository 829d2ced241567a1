"""Draw figures of records as PNG, SVG and CSV, without pyplot and its global state."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mmulbench.errors import UsageError
from mmulbench.files import disk_errors
from mmulbench.metrics.catalogue import with_role
from mmulbench.records.printable import printable
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import (
    ORIGINAL,
    RETRAIN,
    RETRAIN_AGAIN,
    MethodRow,
    RecordGroup,
    SeedSummary,
    group_records,
)
from mmulbench.report.columns import Column, choose_columns, furthest, part_columns, recorded_directions
from mmulbench.report.histograms import score_figures
from mmulbench.report.noise_floor import GAP, NoiseFloor
from mmulbench.report.picture_names import picture_stems
from mmulbench.report.standing import UTILITY_TOLERANCE
from mmulbench.report.style import BAND, BLACK, COLOURS, GREY, MARKERS, SETTINGS, csv_text, description, save

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

TITLE_WIDTH = 44
LABEL_WIDTH = 32
"""Characters of a line in titles and legends."""

LEGEND_LINES = 26
"""Lines of a column of a legend; with more rows there are more columns, so that no figure grows tall."""


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
        x: its place from left to right, None where it has none on the axis.
        y: its place from bottom to top.
        path: association path that a coordinate is of; empty where none is chosen.
    """

    row: MethodRow
    x: SeedSummary | None
    y: SeedSummary | None
    path: str = ""

    @property
    def is_hollow(self) -> bool:
        """Whether the row lost utility: it is out of competition."""
        lost = (self.row.difference(metric.name) for metric in with_role("utility"))
        return any(one is not None and round(one.mean, 9) < -UTILITY_TOLERANCE for one in lost)


def write_plots(records: Sequence[RunResult], output: Path, metric: str | None = None) -> list[Path]:
    """Write every table's figures: forgetting against retention, scores before and after, cost against gap.

    Args:
        records: runs of any status; those that are not done are named in the legends.
        output: the folder for the files; made if it does not exist.
        metric: the headline metric on the retention axis; test utility for None.

    Returns:
        The files: ``<task>-<backbone>-<forget size>-<forgetting|scores|cost>.<png|svg|csv>``. Further sheets
        of scores are ``scores-2`` and so on; those of an earlier call that had more are removed. Where tables
        differ in something else, 8 digits of a
        fingerprint of their key follow the forget size.

    Raises:
        UsageError: the metric is unknown, or no run is done.
        MmulbenchError: a file cannot be written.
    """
    import matplotlib as mpl

    records = [printable(record) for record in records]
    (retention,) = choose_columns(
        [with_role("utility")[0].name if metric is None else metric], recorded_directions(records)
    )
    groups = [group for group in group_records(records) if any(row.done for row in group.rows)]
    if not groups:
        what = "no run is done" if records else "there are no records"
        raise UsageError(f"{what}: nothing to plot; `mmulbench run --task TASK --method METHOD` makes one")
    stems = picture_stems(group.key for group in groups)
    written: list[Path] = []
    with mpl.rc_context(SETTINGS):
        for group in groups:
            name = stems[group.key]
            for kind, drawing in _drawings(group, retention):
                written += save(*drawing, output / f"{name}-{kind}")
            _remove_sheets(output, name, written)
    return written


def picture_descriptions(records: Sequence[RunResult], kinds: Collection[str]) -> dict[str, str]:
    """Return what the pictures of one table say of the numbers that they show, without drawing them.

    Args:
        records: the runs of the table.
        kinds: kinds of pictures, such as ``forgetting``.

    Returns:
        What `mmulbench.report.style.description` says, by kind; nothing of those that cannot be drawn.
    """
    (group,) = group_records([printable(record) for record in records])
    (retention,) = choose_columns([with_role("utility")[0].name], {})
    return {
        kind: description(csv_text(table))
        for kind, (_, table) in _drawings(group, retention, kinds)
        if kind in kinds
    }


def _remove_sheets(output: Path, name: str, written: Sequence[Path]) -> None:
    """Remove the further sheets of a table's scores that an earlier call wrote, and this one did not.

    Raises:
        MmulbenchError: A file cannot be removed.
    """
    sheet = re.compile(rf"{re.escape(name)}-scores-[0-9]+\.(png|svg|csv)")
    for path in sorted(output.iterdir()):
        if sheet.fullmatch(path.name) and path not in written:
            with disk_errors("remove", path):
                path.unlink()


def _drawings(
    group: RecordGroup, retention: Column, kinds: Collection[str] | None = None
) -> Iterator[tuple[str, tuple[Figure, pd.DataFrame]]]:
    """Draw one table's figures, by kind; those that nothing can be drawn of are left out.

    Sheets of scores, which take long, are left out where none of them is among the kinds that are wanted.
    """
    if (drawing := forgetting_figure(group, retention)) is not None:
        yield "forgetting", drawing
    has_scores = kinds is None or any(kind.startswith("scores") for kind in kinds)
    for number, sheet in enumerate(score_figures(group, _title(group)) if has_scores else (), start=1):
        yield "scores" if number == 1 else f"scores-{number}", sheet
    if (drawing := cost_figure(group)) is not None:
        yield "cost", drawing


def forgetting_figure(group: RecordGroup, retention: Column) -> tuple[Figure, pd.DataFrame] | None:
    """Draw forgetting against retention.

    Forgetting is the distance of the attack's AUC to retrain's, mean over seeds, on the path where that is
    largest: one path for all seeds of a row, named in the table. Up to the noise floor the plane is shaded.

    Args:
        group: the table to draw.
        retention: the metric on the vertical axis.

    Returns:
        The figure and what it shows; None without points.
    """
    (attack,) = with_role("forgetting")
    records = [record for row in group.rows for record in row.done]
    paths = part_columns([Column.of(attack)], records)
    points = []
    for row in group.rows:
        column = furthest(row, paths)
        distance = None if column is None else row.distance(column.name)
        path = "" if column is None or row.method == RETRAIN else column.name.partition("/")[2]
        points.append(Point(row, distance, row.summary(retention.name), path))
    floors = [floor.mean for column in paths if (floor := NoiseFloor.of(group, column.name)) is not None]
    label = f"forgetting: |{attack.title} − retrain's|, furthest path (0 is like retrain)"
    x = Axis(f"{attack.name}_distance_to_retrain", label, floor=max(floors, default=None))
    return _scatter(group, points, x, _axis(retention))


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
    floor = NoiseFloor.of(group, GAP)
    label = "cost: seconds / retrain's seconds (logarithmic)"
    y = replace(_axis(Column.of(gap)), floor=None if floor is None else floor.mean)
    return _scatter(group, points, Axis("seconds_ratio", label, log=True), y)


def _axis(column: Column) -> Axis:
    return Axis(column.name, f"{column.title} ({DIRECTIONS[column.direction]})")


def _scatter(group: RecordGroup, points: list[Point], x: Axis, y: Axis) -> tuple[Figure, pd.DataFrame] | None:
    import pandas as pd
    from matplotlib.figure import Figure

    if not any(point.x and point.y for point in points):
        return None
    lines = sum(len(wrap(point.row.label, LABEL_WIDTH)) for point in points)
    legend_columns = -(-lines // LEGEND_LINES)
    lines = min(lines, LEGEND_LINES) + 3
    figure = Figure(figsize=(5.8 + 2.4 * legend_columns, max(4.4, 0.21 * lines + 1.1)), layout="constrained")
    axes = figure.subplots()
    handles: list[Any] = [
        _draw(axes, point, style) for point, style in zip(points, _styles(points), strict=True)
    ]
    axes.margins(0.08)
    _scale(axes, x)
    handles += _notes(axes, points, x, y)
    axes.set_xlabel(x.label)
    axes.set_ylabel(y.label)
    figure.suptitle(_title(group), x=0.01, ha="left", fontsize=10)
    figure.legend(handles=handles, loc="outside right upper", labelspacing=0.6, ncols=legend_columns)
    return figure, pd.DataFrame([_line(point, x, y) for point in points])


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
    """Shade what is below the noise floor, and say in the legend what shade and hollow markers mean."""
    from matplotlib.lines import Line2D

    for axis, shade in ((x, axes.axvspan), (y, axes.axhspan)):
        if axis.floor is not None:
            yield shade(0, axis.floor, color=BAND, zorder=0, linewidth=0, label="noise floor: two retrains")
    if any(point.is_hollow and point.x and point.y for point in points):
        label = f"hollow: test or retain utility\nover {100 * UTILITY_TOLERANCE:g} points below retrain"
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


def _draw(axes: Axes, point: Point, style: tuple[str, str]) -> Any:
    """Draw a point with its standard deviations, or a level where it has no x; give what the legend shows."""
    from matplotlib.lines import Line2D

    (colour, marker), row = style, point.row
    label = "\n".join(wrap(row.label, LABEL_WIDTH))
    if row.method == RETRAIN and point.y is not None:
        axes.axhline(point.y.mean, color=colour, linewidth=0.8, linestyle="--", zorder=1)
    if point.x is None or point.y is None:
        if row.method == ORIGINAL and point.y is not None:
            return axes.axhline(point.y.mean, color=colour, linewidth=1.2, linestyle=":", label=label)
        return Line2D([], [], linestyle="none", label=f"{label}: {_why_absent(row)}")
    return axes.errorbar(
        point.x.mean,
        point.y.mean,
        xerr=point.x.sd or 0.0,
        yerr=point.y.sd or 0.0,
        color=colour,
        marker=marker,
        markersize=11 if marker == "*" else 7,
        markerfacecolor="white" if point.is_hollow else colour,
        markeredgecolor=colour if point.is_hollow else "white",
        markeredgewidth=1.2 if point.is_hollow else 0.6,
        elinewidth=1,
        capsize=2,
        linestyle="none",
        label=label,
        zorder=3,
    )


def _why_absent(row: MethodRow) -> str:
    """Say in the legend why a row has no point."""
    if row.done:
        return "not measured"
    return row.statuses().most_common(1)[0][0].replace("_", " ")


def _line(point: Point, x: Axis, y: Axis) -> dict[str, object]:
    """Return a point's line in the CSV; empty cells where it has no coordinate or a single seed."""
    line: dict[str, object] = {"method": point.row.label, "seeds": len(point.row.done_seeds)}
    line["lost_utility"] = point.is_hollow
    if point.path:
        line["path"] = point.path
    for axis, summary in ((x, point.x), (y, point.y)):
        line[f"{axis.column}_mean"] = summary.mean if summary else None
        line[f"{axis.column}_sd"] = summary.sd if summary else None
    return line


def _title(group: RecordGroup) -> str:
    """Write the title in lines that are shorter than the axes, so that they do not run into the legend."""
    key, seeds = group.key, ", ".join(map(str, group.seeds))
    what = f"{key.task}, {key.backbone}, {key.forget_text}"
    return "\n".join(line for part in (what, f"seeds {seeds}") for line in wrap(part, TITLE_WIDTH))
