"""Check each value of a record by itself: it lies where its metric's values can lie."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from mmulbench.core.metric import HEADLINE, Bounds, Metric, PerPathMetric, UnimodalMetric
from mmulbench.core.registry import METRICS
from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import RunResult, Value
from mmulbench.validity.findings import Finding, shown

ROUNDING = 1e-9
"""Distance from a bound that is rounding."""


class _Known(NamedTuple):
    """Holds what a registered metric says of one of its values.

    Attributes:
        bounds: smallest and largest value.
        direction: what is better.
    """

    bounds: Bounds
    direction: str


def check_values(record: RunResult) -> Iterator[Finding]:
    """Yield the faults of single values.

    Args:
        record: the record, of today's metric version.
    """
    every = _all_known(tuple(record.values), METRICS.changes)
    for (name, value), known in zip(record.values.items(), every, strict=True):
        if _is_plainly_sound(value, known):  # nearly all are, of very many
            continue
        yield from _check_by_itself(name, value)
        if known is not None:
            yield from _check_with_metric(name, value, known)


def _is_plainly_sound(value: Value, known: _Known | None) -> bool:
    """Say whether a value without an interval and without anything missing has no fault."""
    if known is None or value.retrain is None or value.value is None or value.original is None:
        return False
    (low, high), direction = known
    return (
        low <= value.value <= high
        and low <= value.retrain <= high
        and low <= value.original <= high
        and value.chance is not None
        and low <= value.chance <= high
        and value.n > 0
        and value.low is None
        and value.high is None
        and value.direction == direction
    )


def metric_called(name: str) -> Metric | None:
    """Return a registered metric; None where it is not known here, or cannot be loaded.

    Args:
        name: its name.
    """
    return _metric_at(name, METRICS.changes)


@functools.lru_cache(maxsize=1024)
def _metric_at(name: str, changes: int) -> Metric | None:
    try:
        return METRICS.get(name)(name)
    except MmulbenchError:
        return None


@functools.lru_cache(maxsize=1024)
def _all_known(names: tuple[str, ...], changes: int) -> tuple[_Known | None, ...]:
    """Return what is known of each value; of the same names it is found out once."""
    return tuple(map(_known, names))


def _known(name: str) -> _Known | None:
    """Return what is known of a value, such as ``mia/matching/accuracy``."""
    head, *parts = name.split("/")
    metric = metric_called(head)
    if metric is None:
        return None
    if isinstance(metric, PerPathMetric | UnimodalMetric):
        parts = parts[1:]  # the path or modality
    return _Known(metric.bounds_of("/".join(parts) or HEADLINE), metric.direction)


def _check_by_itself(name: str, value: Value) -> Iterator[Finding]:
    """Yield the faults that any value of any metric can have."""
    if value.value is not None and value.n == 0:
        yield Finding(f"values.{name}.n", "is 0", "above 0, since there is a value")
    if (value.low is None) != (value.high is None):
        yield Finding(f"values.{name}", "has one end of an interval", "both ends or none")
    elif value.low is not None and value.high is not None and value.low > value.high:
        ends = f"{shown(value.low)} and {shown(value.high)}"
        yield Finding(f"values.{name}", f"has the interval's ends {ends}", "the lower one first")


def _check_with_metric(name: str, value: Value, known: _Known) -> Iterator[Finding]:
    """Yield what contradicts the metric."""
    low, high = known.bounds[0] - ROUNDING, known.bounds[1] + ROUNDING
    numbers = (value.value, value.retrain, value.original, value.chance)
    for field, number in zip(("value", "retrain", "original", "chance"), numbers, strict=True):
        if number is not None and not low <= number <= high:
            yield Finding(f"values.{name}.{field}", f"is {shown(number)}", _text(known.bounds))
    if value.direction != known.direction:
        yield Finding(f"values.{name}.direction", f"is {value.direction}", known.direction)


def _text(bounds: Bounds) -> str:
    return f"in the range from {bounds[0]:g} to {bounds[1]:g}"
