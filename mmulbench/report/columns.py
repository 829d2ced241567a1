"""Describe metrics as tables and figures show them, from records alone where a plug-in is absent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mmulbench.core.metric import Metric, PerPathMetric, UnimodalMetric
from mmulbench.core.registry import METRICS
from mmulbench.errors import UsageError, did_you_mean
from mmulbench.metrics.catalogue import ORDER, headline_metrics
from mmulbench.records.schema import Direction, RunResult
from mmulbench.report.aggregate import MethodRow

FIRST = ("test", "retain", "forget", "forget_vs_retain_auc", "mia", "retrain_gap")
"""Metrics of a table's first columns; those of the others stand in a second table."""


@dataclass(frozen=True)
class Column:
    """Describes a metric's column.

    Attributes:
        name: key of the value in records, such as ``test`` or ``mia/matching``.
        title: heading of the column.
        direction: what is better.
        shows_chance: whether the chance level of each run stands beside the value.
    """

    name: str
    title: str
    direction: Direction
    shows_chance: bool = False

    @property
    def metric(self) -> str:
        """Name of the metric, without path or modality."""
        return self.name.split("/")[0]

    @classmethod
    def of(cls, metric: Metric) -> Column:
        """Describe the column of a registered metric."""
        return cls(metric.name, metric.title, metric.direction, metric.shows_chance)


def headline_columns() -> tuple[Column, ...]:
    """Return the columns that tables have when none are asked for: built-in, without shadow models."""
    return tuple(map(Column.of, headline_metrics()))


def part_columns(columns: Iterable[Column], records: Sequence[RunResult]) -> list[Column]:
    """Put one column for each association path, or modality, in place of a metric that is measured on each.

    Values of different paths are different quantities: a mean over them, or over a path that changes from
    seed to seed, is none.

    Args:
        columns: columns of metrics.
        records: the records to be shown, which say what paths and modalities there are.
    """
    known: set[str] = set().union(*(record.values for record in records))
    return [part for column in columns for part in _parts(column, records, known)]


def _parts(column: Column, records: Sequence[RunResult], known: Collection[str]) -> list[Column]:
    if not _is_divided(column.name, records):
        return [column]
    start = f"{column.name}/"
    names = sorted(name for name in known if name.startswith(start) and name.count("/") == 1)
    titles = {name: f"{column.title}, {name.removeprefix(start)}" for name in names}
    return [replace(column, name=name, title=title) for name, title in titles.items()] or [column]


def _is_divided(name: str, records: Sequence[RunResult]) -> bool:
    """Check whether a metric is measured on each path or modality; of an unknown one its records say it."""
    if name in METRICS.names():
        return isinstance(METRICS.get(name)(name), PerPathMetric | UnimodalMetric)
    return any(f"{name}/{path}" in record.values for record in records for path in record.histograms)


def furthest(row: MethodRow, columns: Iterable[Column]) -> Column | None:
    """Return the column in which a row is furthest from retrain, on the mean over seeds.

    Args:
        row: the row.
        columns: columns of one metric's paths.

    Returns:
        The column; None where no distance is known.
    """
    known = [(found.mean, column) for column in columns if (found := row.distance(column.name))]
    return max(known, key=lambda one: one[0])[1] if known else None


def choose_columns(names: Sequence[str] | None, recorded: Mapping[str, Direction]) -> tuple[Column, ...]:
    """Return the columns of the given names, in the given order; the usual ones for None.

    Args:
        names: names of metrics that are registered, or that a record has a value of.
        recorded: directions of the headline values of the records to be shown.

    Raises:
        UsageError: a name is neither.
    """
    if names is None:
        return headline_columns()
    return tuple(_column(name, recorded) for name in names)


def columns_of(record: RunResult) -> list[Column]:
    """Return the columns of a record's headline values: built-in ones in their order, then others."""
    recorded = recorded_directions([record])
    names = sorted(recorded, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return [_column(name, recorded) for name in names]


def recorded_directions(records: Iterable[RunResult]) -> dict[str, Direction]:
    """Return the directions of the records' headline values by name.

    Args:
        records: any records.
    """
    return {
        name: value.direction
        for record in records
        for name, value in record.values.items()
        if "/" not in name
    }


def _column(name: str, recorded: Mapping[str, Direction]) -> Column:
    """Describe a column by its registered metric, or by the records that have its values.

    Raises:
        UsageError: neither is there.
    """
    if name in METRICS.names():
        metric = METRICS.get(name)(name)
        if metric.has_headline:
            return Column.of(metric)
    if name in recorded:
        return Column(name, name, recorded[name])
    raise UsageError(f"unknown metric {name!r}{did_you_mean(name, {*METRICS.names(), *recorded})}")
