"""Find out which metrics a record can be given besides those that it has; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmulbench.core.metric import CombinedMetric, Metric, PopulationMetric, RecoveryMetric
from mmulbench.core.registry import METRICS
from mmulbench.errors import UsageError
from mmulbench.records.schema import METRIC_VERSION, RECIPE_VERSION, RunResult


@dataclass(frozen=True)
class Further:
    """Holds what is to be computed of a record's models.

    Attributes:
        metrics: the metrics that the record has no values of.
        there: names of those that were asked for, and that it has.
        shadows: number of shadow models that they rest on; 0 where none of them does.
    """

    metrics: tuple[Metric, ...]
    there: tuple[str, ...]
    shadows: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the metrics to compute."""
        return tuple(metric.name for metric in self.metrics)

    @property
    def is_measured(self) -> bool:
        """Whether any of them is measured on a model, rather than following from other values."""
        return any(not isinstance(metric, CombinedMetric) for metric in self.metrics)


def further(record: RunResult, names: Sequence[str], shadows: int) -> Further:
    """Return which metrics are to be computed of a record's models.

    Args:
        record: the record.
        names: names of the metrics that are asked for.
        shadows: number of shadow models that is asked for; 0 for as many as the record rests on.

    Raises:
        UsageError: A metric is unknown, or the record lacks what it needs.
    """
    metrics = [METRICS.get(name)(name) for name in names]
    _refuse_record(record)
    present = {name.partition("/")[0] for name in record.values}
    compared = any(value.retrain is not None for value in record.values.values())
    lacking = [metric.name for metric in metrics if _needs_retrain(metric)]
    if lacking and not compared:
        raise UsageError(
            f"{', '.join(lacking)}: record {record.run_id} was made with --no-reference, and has no retrain "
            "to compare with: run it again without"
        )
    new = tuple(metric for metric in metrics if metric.name not in present)
    there = tuple(metric.name for metric in metrics if metric.name in present)
    return Further(new, there, _shadows(record, new, shadows))


def _refuse_record(record: RunResult) -> None:
    """Refuse a record that nothing can be added to.

    Raises:
        UsageError: It has no values, or they are of other versions than today's.
    """
    if record.status != "done":
        raise UsageError(f"record {record.run_id} is {record.status}: there is no model to measure")
    versions = (
        ("metrics", record.spec.metric_version, METRIC_VERSION),
        ("recipes", record.spec.recipe_version, RECIPE_VERSION),
    )
    for what, own, today in versions:
        if own != today:
            raise UsageError(
                f"record {record.run_id} is of version {own} of {what}, and this mmulbench has {today}: "
                "values of both cannot stand in one record; run it again"
            )


def _needs_retrain(metric: Metric) -> bool:
    return bool(metric.needs.retrain_losses) or isinstance(
        metric, CombinedMetric | PopulationMetric | RecoveryMetric
    )


def _shadows(record: RunResult, metrics: Sequence[Metric], asked: int) -> int:
    """Return how many shadow models the metrics rest on.

    Raises:
        UsageError: They need some and there are none, or others than the record's, or none are needed.
    """
    names = ", ".join(metric.name for metric in metrics if isinstance(metric, PopulationMetric))
    if not names:
        if asked and metrics:
            raise UsageError("--shadows: none of these metrics rests on shadow models; leave it out")
        return 0
    if "unlearned" in record.spec.given:
        raise UsageError(
            f"{names}: shadow models take the method, and that of record {record.run_id} is kept elsewhere"
        )
    if not asked and not record.shadows:
        raise UsageError(f"{names}: give --shadows N, the number of shadow models to train for it")
    if asked and record.shadows not in (0, asked):
        raise UsageError(
            f"--shadows {asked}: record {record.run_id} has values of {record.shadows} shadow models, and "
            "others cannot stand beside them; leave it out"
        )
    return asked or record.shadows
