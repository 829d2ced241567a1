"""Average how far utility and attack are from retrain's."""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.core.metric import SHARE, CombinedMetric, Needs
from mmulbench.core.registry import METRICS
from mmulbench.metrics.distance import retrain_gap


@METRICS.register("retrain_gap")
class RetrainGap(CombinedMetric):
    """Measures the average gap, see `mmulbench.metrics.distance.retrain_gap`."""

    title = "Gap to retrain"
    direction = "lower"
    definition = (
        "mean of |method - retrain| over test, retain, forget and mia, where the part of mia is the largest "
        "over paths, each AUC beside retrain's of the same path"
    )
    source = "Fan et al. 2024 (arXiv 2310.12508), average gap; the attack by its AUC, two-sided, path by path"
    needs = Needs(values=("test", "retain", "forget", "mia"))
    bounds = SHARE
    role = "distance"

    def compute(self, values: Mapping[str, float], retrain: Mapping[str, float]) -> float:
        """Compute the mean distance."""
        return retrain_gap(values, retrain)
