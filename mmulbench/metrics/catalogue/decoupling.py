"""Compare the scores of forget pairs with those of pairs that never belonged together."""

from __future__ import annotations

from mmulbench.core.metric import SHARE, Needs, PathMetric
from mmulbench.core.observations import Estimate, Estimates, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("decoupling")
class Decoupling(PathMetric):
    """Measures modality decoupling, see `mmulbench.metrics.separation.decoupling`; details only."""

    title = "Decoupling"
    direction = "closest_to_retrain"
    definition = (
        "how far the association scores of forget-set pairs lie from those of unrelated pairs: ROC AUC, and "
        "Kolmogorov-Smirnov distance; shown for each path, without a column of its own"
    )
    source = "arXiv 2311.12047, modality decoupling, as a two-sample distance"
    needs = Needs(scores=("forget", "unrelated"))
    chance = None
    bounds = SHARE
    has_headline = False

    def compute(self, observation: PathObservation) -> Estimates:
        """Compute the AUC and the distance."""
        from mmulbench.metrics.separation import decoupling

        forget, unrelated = (observation.model.scores[name] for name in ("forget", "unrelated"))
        apart, count = decoupling(forget, unrelated), len(forget) + len(unrelated)
        return {
            "auc": Estimate(apart.auc, count, chance=0.5),
            "ks": Estimate(apart.ks, count, chance=0.0),
        }
