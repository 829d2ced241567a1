"""Attack with shadow models that went through the unlearning method too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mmulbench.core.metric import SHARE, Bounds, Needs, PopulationMetric
from mmulbench.core.observations import Estimates, PathPopulation
from mmulbench.core.registry import METRICS


@METRICS.register("u_lira")
class ULira(PopulationMetric):
    """Measures the U-LiRA attack, see `mmulbench.metrics.shadow_attacks.u_lira`."""

    title = "U-LiRA AUC"
    direction = "closest_to_retrain"
    definition = (
        "AUC of an attacker who knows how sure shadow models are of each forget-set pair, and tells a model "
        "that unlearned it from one retrained without it. Each model's mean confidence in test pairs is "
        "subtracted, so that a shift of all pairs is no leak; `forget` is without that, `test` the same "
        "attack on test pairs, and `difference` their difference. Every training seed is the target once"
    )
    source = "Hayes et al. 2024 (arXiv 2403.01218); Carlini et al. 2022 (arXiv 2112.03570)"
    needs = Needs(confidence=("forget", "test"))
    chance = 0.5
    bounds = SHARE
    part_bounds: ClassVar[Mapping[str, Bounds]] = {"difference": (-1.0, 1.0)}

    def compute(self, population: PathPopulation) -> Estimates:
        """Compute the attack's AUC, its control and its true-positive rates."""
        from mmulbench.metrics.shadow_attacks import u_lira

        return u_lira(population.unlearned, population.retrained, intervals=population.intervals)
