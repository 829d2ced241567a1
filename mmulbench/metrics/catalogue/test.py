"""Measure utility on data that no model has seen."""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.core.metric import SHARE, Needs, UtilityMetric
from mmulbench.core.observations import Estimates
from mmulbench.core.registry import METRICS


@METRICS.register("test")
class Test(UtilityMetric):
    """Measures what the model can do on the test split."""

    title = "Test utility"
    direction = "not_below_retrain"
    definition = (
        "the task's own measure on the test split (retrieval: mean of R@1, R@5, R@10 in both directions)"
    )
    source = "arXiv 2311.12047, D_Test"
    needs = Needs(utility=("test",))
    bounds = SHARE
    role = "utility"

    def compute(self, utility: Mapping[str, Estimates]) -> Estimates:
        """Return the task's measures on the test split."""
        return utility["test"]
