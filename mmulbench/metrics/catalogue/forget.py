"""Measure utility on the deleted data."""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.core.metric import SHARE, Needs, UtilityMetric
from mmulbench.core.observations import Estimates
from mmulbench.core.registry import METRICS


@METRICS.register("forget")
class Forget(UtilityMetric):
    """Measures what the model can still do on the forget set."""

    title = "Forget utility"
    direction = "closest_to_retrain"
    definition = (
        "the same measure on the forget set; in retrieval a query is searched among the test items and its "
        "own true items, so that its gallery is that of `test`"
    )
    source = "arXiv 2311.12047, D_f"
    needs = Needs(utility=("forget",))
    bounds = SHARE

    def compute(self, utility: Mapping[str, Estimates]) -> Estimates:
        """Return the task's measures on the forget set."""
        return utility["forget"]
