"""Draw forgetting against retention."""

from __future__ import annotations

from mmulbench.metrics.catalogue import with_role
from mmulbench.report.aggregate import RETRAIN
from mmulbench.report.columns import Column, furthest, part_columns
from mmulbench.report.figures.picture import Absent, Picture, Subject, main_rows
from mmulbench.report.figures.plane import Axis, Point, axis_of, plane
from mmulbench.report.noise_floor import NoiseFloor


def forgetting_figure(subject: Subject) -> Picture | Absent:
    """Show forgetting against retention.

    Forgetting is the distance of the attack's AUC to retrain's, mean over seeds, on the path where that is
    largest: one path for all seeds of a row, named in the table. Up to the noise floor the plane is shaded.

    Args:
        subject: the table, and the utility on the vertical axis.
    """
    group, (attack,) = subject.table, with_role("forgetting")
    rows = main_rows(group)
    records = [record for row, _ in rows for record in row.done]
    paths = part_columns([Column.of(attack)], records)
    points = []
    for row, name in rows:
        column = furthest(row, paths)
        distance = None if column is None else row.distance(column.name)
        path = "" if column is None or row.method == RETRAIN else column.name.partition("/")[2]
        points.append(Point(row, name, distance, row.summary(subject.retention.name), path))
    floors = [floor.mean for column in paths if (floor := NoiseFloor.of(group, column.name)) is not None]
    label = f"|{attack.title} − retrain's|, furthest path (0 is like retrain)"
    x = Axis(f"{attack.name}_distance_to_retrain", label, floor=max(floors, default=None))
    return plane(group, points, x, axis_of(subject.retention))
