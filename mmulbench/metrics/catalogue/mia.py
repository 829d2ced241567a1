"""Attack by the loss: tell the forget set from test data."""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.core.metric import HEADLINE, SHARE, Needs, PathMetric
from mmulbench.core.observations import Estimate, Estimates, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("mia")
class Mia(PathMetric):
    """Measures a membership inference attack, see `mmulbench.metrics.membership.loss_attack`."""

    title = "MIA AUC"
    direction = "closest_to_retrain"
    definition = (
        "P(a forget-set pair has a lower loss than a test pair) + ties / 2: .5 gives nothing away, above it "
        "the forget set is remembered, below it over-forgotten, which tells as much; interval by bootstrap "
        "over the units of both sets; the path furthest from retrain's (without retrain: from .5). Details: "
        "`accuracy`, balanced, of a two-sided threshold on log(p / (1 - p)), cross-validated over units; "
        "`advantage`, |2 AUC - 1|"
    )
    source = "Yeom et al. 2018 (arXiv 1709.01604)"
    needs = Needs(losses=("forget", "test"))
    chance = 0.5
    bounds = SHARE
    role = "forgetting"
    worst_without_retrain = "furthest_from_chance"

    def compute(self, observation: PathObservation) -> Estimates:
        """Compute the attack's one-sided AUC, its two-sided accuracy and its advantage."""
        from mmulbench.metrics.membership import loss_attack

        losses, units = observation.model.losses, observation.units
        attack = loss_attack(
            losses["forget"], units["forget"], losses["test"], units["test"], observation.seed
        )
        return {
            HEADLINE: Estimate(attack.auc.value, attack.n, attack.auc.low, attack.auc.high),
            "accuracy": Estimate(attack.accuracy, attack.n, chance=0.5),
            "advantage": Estimate(attack.advantage, attack.n, chance=0.0),
        }

    def details_of(self, headline: float) -> Mapping[str, float]:
        """Return the advantage, which follows from the AUC."""
        return {"advantage": abs(2 * headline - 1)}
