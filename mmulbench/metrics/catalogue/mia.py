"""Attack by the loss: tell the forget set from test data."""

from __future__ import annotations

from mmulbench.core.metric import HEADLINE, Estimate, Estimates, Needs, PathMetric, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("mia")
class Mia(PathMetric):
    """Measures a membership inference attack, see `mmulbench.metrics.membership.loss_attack`."""

    title = "MIA accuracy"
    direction = "closest_to_retrain"
    definition = (
        "balanced accuracy, cross-validated over the units of both sets, of a logistic regression that tells "
        "forget-set pairs from test pairs by their loss, orientation learnt (over-forgetting raises it too); "
        "the path furthest from retrain's (without retrain: the highest)"
    )
    source = "Yeom et al. 2018 (arXiv 1709.01604); Liu et al. 2024 (arXiv 2304.04934)"
    needs = Needs(losses=("forget", "test"))
    chance = 0.5
    role = "forgetting"

    def compute(self, observation: PathObservation) -> Estimates:
        """Compute the attack's accuracy, its one-sided AUC and its two-sided advantage."""
        from mmulbench.metrics.membership import loss_attack

        losses, units = observation.model.losses, observation.units
        attack = loss_attack(losses["forget"], units["forget"], losses["test"], units["test"])
        return {
            HEADLINE: Estimate(attack.accuracy, attack.n),
            "auc": Estimate(attack.auc, attack.n, chance=0.5),
            "advantage": Estimate(attack.advantage, attack.n, chance=0.0),
        }
