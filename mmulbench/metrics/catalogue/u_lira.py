"""Attack with shadow models that went through the unlearning method too."""

from __future__ import annotations

from mmulbench.core.metric import Estimates, Needs, PathPopulation, PopulationMetric
from mmulbench.core.registry import METRICS


@METRICS.register("u_lira")
class ULira(PopulationMetric):
    """Measures the U-LiRA attack, see `mmulbench.metrics.populations.u_lira`."""

    title = "U-LiRA AUC"
    direction = "closest_to_retrain"
    definition = (
        "AUC of an attacker who knows how sure shadow models are of each forget-set pair, and tells a model "
        "that unlearned it from one retrained without it; every training seed is the target once; the path "
        "furthest from retrain's"
    )
    source = "Hayes et al. 2024 (arXiv 2403.01218); Carlini et al. 2022 (arXiv 2112.03570)"
    needs = Needs(confidence=("forget",))
    chance = 0.5

    def compute(self, population: PathPopulation) -> Estimates:
        """Compute the attack's AUC and its true-positive rates."""
        from mmulbench.metrics.populations import u_lira

        return u_lira(population.unlearned["forget"], population.retrained["forget"]).estimates()
