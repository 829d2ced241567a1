"""Check that a record's values agree with each other: headlines with their parts, and combined ones."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping

from mmulbench.core.declared import declared
from mmulbench.core.metric import CombinedMetric, Metric, PerPathMetric, UnimodalMetric, UtilityMetric
from mmulbench.core.observations import Estimate
from mmulbench.core.registry import METRICS, TASKS
from mmulbench.errors import MmulbenchError
from mmulbench.evaluation.values import headline_source, names_read
from mmulbench.records.schema import RunResult, Value
from mmulbench.validity.findings import Finding, shown
from mmulbench.validity.values import ROUNDING, metric_called

MODELS = ("value", "retrain", "original")
"""Fields of a value that are the same measure of different models."""

RELATIVE = 1e-6
"""Relative difference that is rounding."""

KINDS: tuple[type[Metric], ...] = (CombinedMetric, UtilityMetric, PerPathMetric, UnimodalMetric)

Values = Mapping[str, Value]


def check_parts(record: RunResult) -> Iterator[Finding]:
    """Yield what does not agree.

    Args:
        record: the record, of today's metric version.
    """
    values = record.values
    refused = {line.partition(":")[0] for line in record.missing}
    for kind, metric, names in _by_metric(tuple(values), METRICS.changes):
        parts = {name: values[name] for name in names}
        headline = values.get(metric.name)
        if metric.name in refused and headline is not None and headline.value is None:
            continue  # it says why it has none
        if kind is CombinedMetric:
            yield from _check_combined(metric, values)  # type: ignore[arg-type]
        elif kind is UtilityMetric:
            yield from _check_utility(metric, headline, parts, record)
        else:
            yield from _check_headline(metric, headline, parts)
            yield from _check_details(metric, parts, values)


@functools.lru_cache(maxsize=1024)
def _by_metric(
    names: tuple[str, ...], changes: int
) -> tuple[tuple[type[Metric], Metric, tuple[str, ...]], ...]:
    """Return the metrics of a record with their kinds and the names of their parts, found once for the same.

    Args:
        names: names of all values.
        changes: state of the registry of metrics.
    """
    parts: dict[str, list[str]] = {}
    for name in names:
        of_metric = parts.setdefault(name.partition("/")[0], [])
        if name.count("/") == 1:
            of_metric.append(name)
    found = {head: metric_called(head) for head in parts}
    return tuple(
        (kind, metric, tuple(parts[head]))
        for head, metric in found.items()
        for kind in KINDS
        if metric is not None and isinstance(metric, kind)
    )


def is_close(one: float | None, other: float | None) -> bool:
    """Say whether two numbers are the same but for rounding.

    Args:
        one: a number, or None where there is none.
        other: the same.
    """
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ROUNDING)


def _check_headline(metric: Metric, headline: Value | None, parts: Values) -> Iterator[Finding]:
    """Compare a headline with the path or modality that it is taken from, by the rule that chose it."""
    if not metric.has_headline:
        return
    field = f"values.{metric.name}"
    if headline is None:
        yield Finding(field, "is missing", "there, since its parts are")
        return
    if any(part.value is None for part in parts.values()):
        if headline.value is not None:
            yield Finding(f"{field}.value", f"is {shown(headline.value)}", "null, as its parts are")
        return
    retrains = [part.retrain for part in parts.values()]
    if not parts or (None in retrains and any(one is not None for one in retrains)):
        wanted = "there for each path" if parts else "divided by paths or modalities"
        yield Finding(f"{field}{'.retrain' if parts else ''}", "is not complete", wanted)
        return
    own = {name: _estimate(part.value) for name, part in parts.items()}
    reference = None if None in retrains else {name: _estimate(one.retrain) for name, one in parts.items()}
    source = parts[headline_source(metric, own, reference)]
    if headline == source:
        return
    for name in Value.model_fields:
        if getattr(headline, name) != getattr(source, name):
            wanted = f"{shown(getattr(source, name))}, as its parts say"
            yield Finding(f"{field}.{name}", f"is {shown(getattr(headline, name))}", wanted)


def _check_details(metric: Metric, parts: Values, values: Values) -> Iterator[Finding]:
    """Compare what follows from a path's value alone with that value."""
    if type(metric).details_of is Metric.details_of:
        return
    for name, part in parts.items():
        for field in MODELS:
            number = getattr(part, field)
            low, high = metric.bounds
            if number is None or not low <= number <= high:
                continue
            for detail, wanted in metric.details_of(number).items():
                beside = values.get(f"{name}/{detail}")
                if beside is not None and not is_close(getattr(beside, field), wanted):
                    yield _differs(f"{name}/{detail}", field, getattr(beside, field), wanted, name)


def _check_utility(
    metric: Metric, headline: Value | None, parts: Values, record: RunResult
) -> Iterator[Finding]:
    """Compare utility with the measure of the task that stands for it: one of its details, or a mean."""
    chosen = _utility_of(record.spec.task, TASKS.changes)
    if chosen is None:
        return
    recalls = [part for name, part in parts.items() if "_r@" in name]
    if headline is None or not (recalls or f"{metric.name}/accuracy" in parts):
        return
    one = parts.get(f"{metric.name}/{chosen or 'accuracy'}")
    for field in MODELS:
        if chosen or not recalls:
            wanted = None if one is None else getattr(one, field)
        else:
            numbers = [getattr(part, field) for part in recalls]
            wanted = None if None in numbers else math.fsum(numbers) / len(numbers)
        if not is_close(getattr(headline, field), wanted):
            said = (
                f"its detail {chosen or 'accuracy'}" if chosen or not recalls else "the mean of its recalls"
            )
            yield _differs(metric.name, field, getattr(headline, field), wanted, said)


@functools.lru_cache(maxsize=1024)
def _utility_of(task: str, changes: int) -> str | None:
    """Return the measure that stands for a task's utility; None where the task is not known here."""
    try:
        return str(declared(TASKS, task, "utility"))
    except MmulbenchError:
        return None


def _check_combined(metric: CombinedMetric, values: Values) -> Iterator[Finding]:
    """Compute a metric of other values again, by the function that it was computed by."""
    headline = values[metric.name]
    read = {name: found for name in metric.needs.values if (found := metric_called(name)) is not None}
    if len(read) < len(metric.needs.values):
        return
    names = names_read(metric, read, values)
    lacking = [name for name in names if name not in values]
    lacking += [name for name in read if not any(one.partition("/")[0] == name for one in names)]
    if lacking:
        yield Finding(f"values.{lacking[0]}", "is missing", f"there, since {metric.name} is computed of it")
        return
    retrain = {name: values[name].retrain for name in names}
    for field in MODELS:
        own = {name: getattr(values[name], field) for name in names}
        complete = None not in retrain.values() and None not in own.values()
        wanted = metric.compute(own, retrain) if complete else None  # type: ignore[arg-type]
        if not is_close(getattr(headline, field), wanted):
            yield _differs(metric.name, field, getattr(headline, field), wanted, ", ".join(read))
    if headline.n != len(metric.needs.values):
        yield _differs(metric.name, "n", headline.n, len(metric.needs.values), "the number of its parts")


def _differs(name: str, field: str, found: float | None, wanted: float | None, of: str) -> Finding:
    return Finding(f"values.{name}.{field}", f"is {shown(found)}", f"{shown(wanted)} by {of}")


def _estimate(value: float | None) -> Estimate:
    return Estimate(math.nan if value is None else value, 1)
