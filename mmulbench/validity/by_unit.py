"""Check what a record says of single units and of bins of scores against its values."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from mmulbench.core.metric import HEADLINE, PathMetric
from mmulbench.core.registry import METRICS
from mmulbench.records.schema import RunResult
from mmulbench.validity.findings import Finding, shown
from mmulbench.validity.values import metric_called

ROUNDED = 1e-4
"""Largest difference that rounding of single units' numbers makes to their mean."""

PAIRS = "pairs"


def check_units(record: RunResult) -> Iterator[Finding]:
    """Yield what does not agree.

    Args:
        record: the record, of today's metric version.
    """
    pairs = record.by_unit.get(PAIRS)
    if pairs is not None:
        yield from _check_counts(record, pairs)
        for name, numbers in record.by_unit.items():
            if name != PAIRS:
                yield from _check_mean(record, name, numbers, pairs)
    yield from _check_histograms(record, None if pairs is None else sum(pairs))


def _check_counts(record: RunResult, pairs: list[float]) -> Iterator[Finding]:
    size, total = record.spec.forget_size, sum(pairs)
    if len(pairs) < size:  # a unit may be several items
        yield Finding("by_unit", f"has {len(pairs)} units", f"{size}, the forget size")
    for name in _of_forget_pairs(tuple(record.values), METRICS.changes):
        number = record.values[name].n
        if number != total:
            yield Finding(f"values.{name}.n", f"is {number}", f"{total:g}, the pairs of by_unit")


@functools.lru_cache(maxsize=1024)
def _of_forget_pairs(names: tuple[str, ...], changes: int) -> tuple[str, ...]:
    """Return the values of paths that are computed of the forget set's pairs alone."""
    of_paths = [(name, metric_called(name.partition("/")[0])) for name in names if name.count("/") == 1]
    return tuple(
        name
        for name, metric in of_paths
        if isinstance(metric, PathMetric) and metric.needs.losses == ("forget",) and not metric.needs.scores
    )


def _check_mean(record: RunResult, name: str, numbers: list[float], pairs: list[float]) -> Iterator[Finding]:
    """Compare the mean over units with the value itself, where it is that."""
    metric = metric_called(name.partition("/")[0])
    if metric is not None:
        low, high = metric.bounds_of(HEADLINE)
        if min(numbers, default=low) < low or max(numbers, default=high) > high:
            found = f"goes from {shown(min(numbers))} to {shown(max(numbers))}"
            yield Finding(f"by_unit.{name}", found, f"in the range from {low:g} to {high:g}")
    value = record.values.get(name) if "/" in name else None  # utility's queries are of several units
    if value is None or value.value is None or len(numbers) != len(pairs):
        return
    mean = sum(map(float.__mul__, numbers, pairs)) / sum(pairs)
    if abs(mean - value.value) > ROUNDED:
        yield Finding(f"values.{name}.value", f"is {shown(value.value)}", f"{mean:.4f}, the mean of by_unit")


def _check_histograms(record: RunResult, pairs: float | None) -> Iterator[Finding]:
    for path, found in record.histograms.items():
        before, after = (
            {name: sum(bins) for name, bins in one.items()} for one in (found.before, found.after)
        )
        if before != after:
            yield Finding(f"histograms.{path}.after", "counts other pairs", "of as many pairs as before")
        if pairs is not None and before.get("forget", pairs) != pairs:
            text = f"{pairs:g}, the pairs of by_unit"
            yield Finding(f"histograms.{path}.before.forget", f"counts {before['forget']} pairs", text)
