"""Draw cost against the gap to retrain."""

from __future__ import annotations

from dataclasses import replace

from mmulbench.metrics.catalogue import with_role
from mmulbench.report.aggregate import ORIGINAL
from mmulbench.report.columns import Column
from mmulbench.report.figures.picture import Absent, Picture, Subject, main_rows
from mmulbench.report.figures.plane import Axis, Point, axis_of, plane
from mmulbench.report.noise_floor import GAP, NoiseFloor


def cost_figure(subject: Subject) -> Picture | Absent:
    """Show cost (seconds / retrain's seconds, logarithmic) against the gap to retrain.

    The original takes no time but that of a copy, which has no place on a logarithmic axis: it is a level.

    Args:
        subject: the table.
    """
    group, (gap,) = subject.table, with_role("distance")
    points = []
    for row, name in main_rows(group):
        ratio = None if row.method == ORIGINAL else row.cost("seconds_ratio")
        points.append(Point(row, name, ratio if ratio and ratio.mean > 0 else None, row.summary(gap.name)))
    floor = NoiseFloor.of(group, GAP)
    label = "cost: seconds / retrain's seconds (logarithmic)"
    y = replace(axis_of(Column.of(gap)), floor=None if floor is None else floor.mean)
    return plane(group, points, Axis("seconds_ratio", label, log=True), y)
