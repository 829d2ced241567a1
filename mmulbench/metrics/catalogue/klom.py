"""Compare how unlearned and retrained models' confidence is distributed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mmulbench.core.metric import HEADLINE, POSITIVE, SETS, Bounds, Needs, PopulationMetric
from mmulbench.core.observations import Estimate, Estimates, PathPopulation
from mmulbench.core.registry import METRICS

TAIL = 95
"""Percentile reported besides the mean: KLOM of the worst-unlearned 5 % of pairs."""


@METRICS.register("klom")
class Klom(PopulationMetric):
    """Measures KL divergence of margins, see `mmulbench.metrics.klom`."""

    title = "KLOM above chance"
    direction = "lower"
    definition = (
        "mean over forget-set pairs of the KL divergence, in nats, of unlearned shadow models' margins from "
        "retrained ones', 20 bins, less what as many models retrained by other seeds have. `forget`, `test` "
        "and `retain` are the divergence itself, each beside that of such retrained models (its `chance`)"
    )
    source = "Georgiev et al. 2024 (arXiv 2410.23232), KLOM; the excess and its interval are my own"
    needs = Needs(confidence=SETS)
    chance = 0.0
    part_bounds: ClassVar[Mapping[str, Bounds]] = {
        part: POSITIVE for name in SETS for part in (name, f"{name}_{TAIL}th")
    }
    fewest_models = 64

    def compute(self, population: PathPopulation) -> Estimates:
        """Compute the excess over chance, and the divergence itself with its tail for each set."""
        import numpy as np

        from mmulbench.metrics.klom import klom, klom_excess

        unlearned, retrained, again = (
            population.unlearned,
            population.retrained,
            population.retrained_again,
        )
        excess = klom_excess(
            *(world["forget"] for world in (unlearned, retrained, again)), intervals=population.intervals
        )
        found = {HEADLINE: Estimate(excess.value, unlearned["forget"].shape[1], excess.low, excess.high)}
        for name in SETS:
            by_pair, by_chance = (klom(models[name], retrained[name]) for models in (unlearned, again))
            found[name] = Estimate(float(by_pair.mean()), by_pair.size, chance=float(by_chance.mean()))
            tail, chance = (float(np.percentile(pairs, TAIL)) for pairs in (by_pair, by_chance))
            found[f"{name}_{TAIL}th"] = Estimate(tail, by_pair.size, chance=chance)
        return found
