"""Keep why a metric has no value of a run, where it says itself that there is too little to measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mmulbench.core.metric import CombinedMetric, Metric
from mmulbench.core.observations import Estimate, Estimates
from mmulbench.errors import NotApplicable


def name_of(metric: Metric, path: str) -> str:
    """Return the name that a metric's estimate has in records.

    Args:
        metric: the metric.
        path: association path or modality; empty for a metric of the whole model.
    """
    return f"{metric.name}/{path}" if path else metric.name


class Refusals:
    """Collects the reasons of metrics that have no value, of whichever model of a run.

    What is missing of one model is missing of all, since values are read beside each other.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def ask(self, metric: Metric, path: str, compute: Callable[[], Estimates]) -> Estimates:
        """Return what a metric computes, or nothing where it refuses, whose reason is kept.

        Args:
            metric: the metric.
            path: association path or modality; empty for a metric of the whole model.
            compute: has the metric compute.
        """
        try:
            return compute()
        except NotApplicable as refusal:
            self._reasons[name_of(metric, path)] = str(refusal)
            return {}

    def without(self, estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
        """Return the estimates of a model that no model lacks.

        Args:
            estimates: estimates by name.
        """
        refused = tuple(f"{name}/" for name in self._reasons)
        return {name: one for name, one in estimates.items() if not f"{name}/".startswith(refused)}

    def metrics(self, metrics: Iterable[Metric]) -> list[str]:
        """Name the metrics that have no headline: those that refused on some path, and those that read them.

        Args:
            metrics: all metrics of the record.
        """
        refused = {name.partition("/")[0] for name in self._reasons}
        return [
            metric.name
            for metric in metrics
            if metric.name in refused
            or (isinstance(metric, CombinedMetric) and refused.intersection(metric.needs.values))
        ]

    def lines(self, metrics: Iterable[Metric]) -> list[str]:
        """Say why there is no headline, one line for each metric and reason.

        Args:
            metrics: all metrics of the record.
        """
        places: dict[tuple[str, str], list[str]] = {}
        for name, reason in self._reasons.items():
            metric, _, path = name.partition("/")
            places.setdefault((metric, reason), []).extend([path] if path else [])
        refused = {metric for metric, _ in places}
        lines = [
            f"{metric}: {reason}" + (f" ({', '.join(paths)})" if paths else "")
            for (metric, reason), paths in places.items()
        ]
        for one in metrics:
            if isinstance(one, CombinedMetric) and (read := refused.intersection(one.needs.values)):
                lines.append(f"{one.name}: it reads {', '.join(sorted(read))}, which has no value")
        return lines
