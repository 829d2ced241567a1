"""Attack by comparing forget-set pairs with test pairs, beside shadow models."""

from __future__ import annotations

from mmulbench.core.metric import SHARE, Needs, PopulationMetric
from mmulbench.core.observations import Estimates, PathPopulation
from mmulbench.core.registry import METRICS


@METRICS.register("rmia")
class Rmia(PopulationMetric):
    """Measures the RMIA attack, see `mmulbench.metrics.shadow_attacks.rmia`."""

    title = "RMIA AUC"
    direction = "closest_to_retrain"
    definition = (
        "AUC of the share of test pairs that a forget-set pair's probability exceeds, each beside its mean "
        "over shadow models, unlearned models against retrained ones. Test pairs are its control"
    )
    source = "Zarifzadeh et al. 2024 (arXiv 2312.03262), online attack, gamma 1"
    needs = Needs(confidence=("forget", "test"))
    chance = 0.5
    bounds = SHARE

    def compute(self, population: PathPopulation) -> Estimates:
        """Compute the attack's AUC and its true-positive rates."""
        from mmulbench.metrics.shadow_attacks import rmia

        worlds = (population.unlearned, population.retrained, population.originals)
        return rmia(*worlds, intervals=population.intervals)
