"""Tell the forget set from the retain set by association scores."""

from __future__ import annotations

from mmulbench.core.metric import HEADLINE, SHARE, Needs, PathMetric
from mmulbench.core.observations import Estimate, Estimates, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("forget_vs_retain_auc")
class ForgetVsRetainAuc(PathMetric):
    """Measures Df|Dr, see `mmulbench.metrics.separation.auc_by_units`.

    The paper takes random draws of Dr that are as large as Df; all Df x Dr pairs give the expectation of
    those draws without their noise.
    """

    title = "Df|Dr AUC"
    direction = "closest_to_retrain"
    definition = (
        "ROC AUC of the association score of every true pair, forget set 0, retain set 1, exact over all "
        "Df x Dr pairs; the path furthest from retrain's (without retrain: the smallest)"
    )
    source = "arXiv 2311.12047, Df|Dr (there: higher is better)"
    needs = Needs(scores=("forget", "retain"))
    chance = 0.5
    bounds = SHARE
    worst_without_retrain = "smallest"

    def compute(self, observation: PathObservation) -> Estimates:
        """Compute the AUC and its bootstrap interval."""
        from mmulbench.metrics.separation import auc_by_units

        forget, retain = (observation.model.scores[name] for name in ("forget", "retain"))
        units = observation.units
        auc = auc_by_units(forget, units["forget"], retain, units["retain"], observation.seed)
        return {HEADLINE: Estimate(auc.value, len(forget) + len(retain), auc.low, auc.high)}
