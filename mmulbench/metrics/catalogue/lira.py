"""Attack with shadow models, without knowledge of the unlearning method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mmulbench.core.metric import SHARE, Bounds, Needs, PopulationMetric
from mmulbench.core.observations import Estimates, PathPopulation
from mmulbench.core.registry import METRICS


@METRICS.register("lira")
class Lira(PopulationMetric):
    """Measures the LiRA attack, see `mmulbench.metrics.shadow_attacks.lira`."""

    title = "LiRA AUC"
    direction = "closest_to_retrain"
    definition = (
        "the same by an attacker who does not know the method: do unlearned models look more like originals "
        "than retrained ones do? Below .5 they look less like them: over-forgetting. The same subtraction "
        "and the same control"
    )
    source = "Carlini et al. 2022 (arXiv 2112.03570), online attack"
    needs = Needs(confidence=("forget", "test"))
    chance = 0.5
    bounds = SHARE
    part_bounds: ClassVar[Mapping[str, Bounds]] = {"difference": (-1.0, 1.0)}

    def compute(self, population: PathPopulation) -> Estimates:
        """Compute the attack's AUC, its control and its true-positive rates."""
        from mmulbench.metrics.shadow_attacks import lira

        worlds = (population.unlearned, population.retrained, population.originals)
        return lira(*worlds, intervals=population.intervals)
