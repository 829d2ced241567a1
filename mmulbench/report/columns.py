"""Describe metrics as tables and figures show them, from records alone where a plug-in is absent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmulbench.core.metric import Metric
from mmulbench.core.registry import METRICS
from mmulbench.errors import UsageError, did_you_mean
from mmulbench.metrics.catalogue import ORDER, headline_metrics, shadow_metrics
from mmulbench.records.schema import Direction, RunResult


@dataclass(frozen=True)
class Column:
    """Describes a metric's column.

    Attributes:
        name: key of the metric in records.
        title: heading of the column.
        direction: what is better.
        shows_chance: whether the chance level of each run stands beside the value.
    """

    name: str
    title: str
    direction: Direction
    shows_chance: bool = False

    @classmethod
    def of(cls, metric: Metric) -> Column:
        """Describe the column of a registered metric."""
        return cls(metric.name, metric.title, metric.direction, metric.shows_chance)


def headline_columns() -> tuple[Column, ...]:
    """Return the columns that tables have when none are asked for: built-in, without shadow models."""
    return tuple(map(Column.of, headline_metrics()))


def shadow_columns() -> tuple[Column, ...]:
    """Return the columns of built-in metrics that rest on shadow models."""
    return tuple(map(Column.of, shadow_metrics()))


def choose_columns(names: Sequence[str] | None, records: Iterable[RunResult]) -> tuple[Column, ...]:
    """Return the columns of the given names, in the given order; the usual ones for None.

    Args:
        names: names of metrics that are registered, or that a record has a value of.
        records: the records to be shown.

    Raises:
        UsageError: a name is neither.
    """
    if names is None:
        return headline_columns()
    recorded = _recorded(records)
    return tuple(_column(name, recorded) for name in names)


def columns_of(record: RunResult) -> list[Column]:
    """Return the columns of a record's headline values: built-in ones in their order, then others."""
    recorded = _recorded([record])
    names = sorted(recorded, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return [_column(name, recorded) for name in names]


def _recorded(records: Iterable[RunResult]) -> dict[str, Direction]:
    """Return the directions of the records' headline values by name."""
    return {
        name: value.direction
        for record in records
        for name, value in record.values.items()
        if "/" not in name
    }


def _column(name: str, recorded: dict[str, Direction]) -> Column:
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
