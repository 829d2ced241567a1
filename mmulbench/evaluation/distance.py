"""How far a model is from retrain, and what utility it lost: what tuning judges by, and no more."""

from __future__ import annotations

from typing import NamedTuple

from mmulbench.core.metric import CombinedMetric
from mmulbench.core.observations import Measurements
from mmulbench.evaluation.values import Units, details, names_read
from mmulbench.metrics.catalogue import all_metrics, with_role


class Distance(NamedTuple):
    """Says how far a model is from retrain.

    Attributes:
        gap: value of the metric `retrain_gap`.
        lost: utility lost beside the lower of original and retrain, the larger of test's and retain's;
            negative where both are above.
    """

    gap: float
    lost: float


def distance_to_retrain(
    model: Measurements, original: Measurements, retrain: Measurements, units: Units
) -> Distance:
    """Compute the gap to retrain, and the utility lost.

    What the original lacks beside retrain, no method has lost: on few items two models that are as good
    differ by several points, and an unlearned model shares its original's luck.

    Args:
        model: measurements of the unlearned model.
        original: measurements of the untouched original.
        retrain: measurements of the reference.
        units: unit of each pair, for cross-validation.
    """
    (gap,), utilities = with_role("distance"), with_role("utility")
    assert isinstance(gap, CombinedMetric)
    parts = {metric.name: metric for metric in all_metrics() if metric.name in gap.needs.values}
    own, reference = (
        details([*parts.values()], measured, None, None, units, seed=0) for measured in (model, retrain)
    )
    before = details(utilities, original, None, None, units, seed=0)
    names = names_read(gap, parts, own)
    return Distance(
        gap.compute(*({name: found[name].value for name in names} for found in (own, reference))),
        max(min(before[m.name].value, reference[m.name].value) - own[m.name].value for m in utilities),
    )
