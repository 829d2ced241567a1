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
from mmulbench.records.published import UTILITY_TOLERANCE
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
from mmulbench.report.point_labels import Named, write_labels
from mmulbench.report.short_names import short_names
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
LABEL_WIDTH = 30
NOTE_WIDTH = 88
"""Characters of a line in titles, names of points, and the line on rows without a point."""

SIZE = (5.2, 3.9)
"""Inches of a figure, which fits one column of a paper; each further line below adds `LINE`."""

LINE = 0.13
MOST_LINES = 8


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


def write_plots(records: Sequence[RunResult], output: Path, metric: str | None = None) -> list[Path]:
    """Write every table's figures: forgetting against retention, scores before and after, cost against gap.

    Args:
        records: runs of any status; rows without numbers are named below the axes.
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
    rows = main_rows(group)
    records = [record for row, _ in rows for record in row.done]
    paths = part_columns([Column.of(attack)], records)
    points = []
    for row, name in rows:
        column = furthest(row, paths)
        distance = None if column is None else row.distance(column.name)
        path = "" if column is None or row.method == RETRAIN else column.name.partition("/")[2]
        points.append(Point(row, name, distance, row.summary(retention.name), path))
    floors = [floor.mean for column in paths if (floor := NoiseFloor.of(group, column.name)) is not None]
    label = f"|{attack.title} − retrain's|, furthest path (0 is like retrain)"
    x = Axis(f"{attack.name}_distance_to_retrain", label, floor=max(floors, default=None))
    return _scatter(group, points, x, _axis(retention))


def cost_figure(group: RecordGroup) -> tuple[Figure, pd.DataFrame] | None:
    """Draw cost (seconds / retrain's seconds, logarithmic) against the gap to retrain; None without points.

    The original takes no time but that of a copy, which has no place on a logarithmic axis: it is a level.
    """
    (gap,) = with_role("distance")
    points = []
    for row, name in main_rows(group):
        ratio = None if row.method == ORIGINAL else row.cost("seconds_ratio")
        points.append(Point(row, name, ratio if ratio and ratio.mean > 0 else None, row.summary(gap.name)))
    floor = NoiseFloor.of(group, GAP)
    label = "cost: seconds / retrain's seconds (logarithmic)"
    y = replace(_axis(Column.of(gap)), floor=None if floor is None else floor.mean)
    return _scatter(group, points, Axis("seconds_ratio", label, log=True), y)


def _axis(column: Column) -> Axis:
    return Axis(column.name, f"{column.title} ({DIRECTIONS[column.direction]})")


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


def _scatter(group: RecordGroup, points: list[Point], x: Axis, y: Axis) -> tuple[Figure, pd.DataFrame] | None:
    import pandas as pd
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    if not any(point.x and point.y for point in points):
        return None
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
    figure.suptitle(_title(group), x=0.01, ha="left", fontsize=9)
    if handles or absent:
        below = figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=7.5)
        below.set_title("\n".join(absent), prop=FontProperties(size=7))
        below.set_alignment("left")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    levels = [p.y.mean for p in points if p.y and (p.row.method == RETRAIN or _is_level(p))]
    write_labels(axes, list(_named(axes, points, styles)), levels)
    return figure, pd.DataFrame([_line(point, x, y) for point in points])


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


def _title(group: RecordGroup) -> str:
    """Write the title in lines that are shorter than the axes, so that they do not run into the legend."""
    key, seeds = group.key, ", ".join(map(str, group.seeds))
    what = f"{key.task}, {key.backbone}, {key.forget_text}"
    return "\n".join(line for part in (what, f"seeds {seeds}") for line in wrap(part, TITLE_WIDTH))
