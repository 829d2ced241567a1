"""Measure utility on the training data that stays."""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.core.metric import SHARE, Needs, UtilityMetric
from mmulbench.core.observations import Estimates
from mmulbench.core.registry import METRICS


@METRICS.register("retain")
class Retain(UtilityMetric):
    """Measures what the model can do on the retain set."""

    title = "Retain utility"
    direction = "not_below_retrain"
    definition = "the same measure on the retain set, which is its own gallery"
    source = "arXiv 2311.12047"
    needs = Needs(utility=("retain",))
    bounds = SHARE
    role = "utility"

    def compute(self, utility: Mapping[str, Estimates]) -> Estimates:
        """Return the task's measures on the retain set."""
        return utility["retain"]
