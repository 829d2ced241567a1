"""Compare how unlearned and retrained models' confidence is distributed."""

from __future__ import annotations

from mmulbench.core.metric import HEADLINE, SETS, Estimate, Estimates, Needs, PathPopulation, PopulationMetric
from mmulbench.core.registry import METRICS

TAIL = 95
"""Percentile reported besides the mean: KLOM of the worst-unlearned 5 % of pairs."""


@METRICS.register("klom")
class Klom(PopulationMetric):
    """Measures KL divergence of margins, see `mmulbench.metrics.populations.klom`."""

    title = "KLOM"
    direction = "lower"
    definition = (
        "mean over forget-set pairs of the KL divergence, in nats, of unlearned shadow models' margins from "
        "retrained ones', 20 bins; above 0 by chance where models are few (the value's `chance`); the path "
        "furthest from retrain's"
    )
    source = "Georgiev et al. 2024 (arXiv 2410.23232), KLOM"
    needs = Needs(confidence=SETS)
    chance = None
    shows_chance = True

    def compute(self, population: PathPopulation) -> Estimates:
        """Compute mean and tail for each set, and what chance would give for the mean."""
        import numpy as np

        from mmulbench.metrics.populations import klom, klom_of_chance
        from mmulbench.seeds import derive

        found: dict[str, Estimate] = {}
        for name in SETS:
            own, reference = population.unlearned[name], population.retrained[name]
            by_pair = klom(own, reference)
            chance = None
            if population.seed is not None:
                seed = derive(population.seed, "klom", population.path, name)
                chance = klom_of_chance(own, reference, seed)
            part = HEADLINE if name == "forget" else name
            found[part] = Estimate(float(by_pair.mean()), by_pair.size, chance=chance)
            found[f"{name}_{TAIL}th"] = Estimate(float(np.percentile(by_pair, TAIL)), by_pair.size)
        return found
