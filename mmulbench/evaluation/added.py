"""Add values to those that a record has; what it has stays as it is, whatever it comes to today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mmulbench.core.metric import CombinedMetric, Metric
from mmulbench.core.observations import Estimate
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.values import combined, names_read
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.records.schema import Value

Values = Mapping[str, Value]

MODELS = {"model": "value", "original": "original", "retrain": "retrain"}
"""By the model of a run, the field of a value that is the model's number."""


@dataclass(frozen=True)
class WithAdded:
    """Holds the values of a record with those that were added.

    Attributes:
        values: all values by name, headlines first; those of before are the same as before.
        differing: names of values of before that were computed again, and came out otherwise.
    """

    values: dict[str, Value]
    differing: tuple[str, ...]


def with_added(before: Values, computed: Values, metrics: Iterable[Metric]) -> WithAdded:
    """Return the values of a record with those of further metrics.

    Combined metrics are computed of the values that the record has then, so that all agree.

    Args:
        before: values of the record.
        computed: values that were computed now, of the further metrics and of others.
        metrics: the further metrics.

    Raises:
        NotApplicable: A combined metric reads what has no value.
    """
    wanted = {metric.name: metric for metric in metrics}
    new = {name: value for name, value in computed.items() if metric_of(name) in wanted}
    known = {**before, **new}
    new |= {
        name: _combined(metric, known)
        for name, metric in wanted.items()
        if isinstance(metric, CombinedMetric)
    }
    differing = tuple(name for name, value in computed.items() if name in before and value != before[name])
    return WithAdded(_headlines_first({**before, **new}), differing)


def metric_of(name: str) -> str:
    """Return the metric that a value, such as ``mia/matching``, belongs to."""
    return name.partition("/")[0]


def metrics_in(names: Iterable[str]) -> set[str]:
    """Return the metrics that values belong to.

    Args:
        names: names of the values.
    """
    return {metric_of(name) for name in names}


def _headlines_first(values: Values) -> dict[str, Value]:
    return {name: values[name] for name in sorted(values, key=lambda name: "/" in name)}


def _combined(metric: CombinedMetric, known: Values) -> Value:
    """Compute a metric of the values that there are.

    Raises:
        NotApplicable: One is not there.
    """
    names = names_read(metric, {one.name: one for one in all_metrics()}, known)
    absent = _without_number(metric, names, known)
    if absent:
        raise NotApplicable(f"{metric.name} reads {', '.join(absent)}, of which the record has no value")
    found = {
        model: {name: Estimate(getattr(known[name], field), known[name].n) for name in names}
        for model, field in MODELS.items()
    }
    return combined(metric, names, found)


def _without_number(metric: CombinedMetric, names: Collection[str], known: Values) -> list[str]:
    """Name what a combined metric reads and the record lacks."""
    absent = [name for name in metric.needs.values if name not in metrics_in(known)]
    return absent + [
        name
        for name in names
        if name in known and any(getattr(known[name], field) is None for field in MODELS.values())
    ]
