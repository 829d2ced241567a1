"""Compare how sure a fixed attacker is of the forget set before and after unlearning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from mmulbench.core.metric import HEADLINE, POSITIVE, Bounds, Needs, PathMetric
from mmulbench.core.observations import Estimate, Estimates, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("mi_ratio")
class MiRatio(PathMetric):
    """Measures the paper's MI, see `mmulbench.metrics.membership.mi_ratio`."""

    title = "MI log ratio"
    direction = "closest_to_retrain"
    definition = (
        "natural logarithm of: mean p(member) over forget-set pairs by the original / the same mean by the "
        "unlearned model, attacker fitted on the original (retain set against test); 0 is no change, past "
        "retrain's value is over-forgetting; the path furthest from retrain's (without retrain: the "
        "smallest); the detail `ratio` is the paper's own"
    )
    source = "arXiv 2311.12047, MI (there: the ratio itself, higher is better)"
    needs = Needs(losses=("forget",), original_losses=("forget", "retain", "test"))
    chance = 0.0
    bounds = (-745.0, 709.0)  # logarithms of what a float can be
    part_bounds: ClassVar[Mapping[str, Bounds]] = {"ratio": POSITIVE}
    worst_without_retrain = "smallest"

    def compute(self, observation: PathObservation) -> Estimates:
        """Fit the attacker on the original and compute the ratio."""
        from mmulbench.metrics.membership import MembershipAttacker, mi_ratio

        before, after = observation.original.losses, observation.model.losses["forget"]
        attacker = MembershipAttacker.fit(before["retain"], before["test"])
        ratio = mi_ratio(attacker, before["forget"], after)
        return {
            HEADLINE: Estimate(math.log(ratio), len(after)),
            "ratio": Estimate(ratio, len(after), chance=1.0),
        }

    def details_of(self, headline: float) -> Mapping[str, float]:
        """Return the ratio itself, of which the headline is the logarithm."""
        return {"ratio": math.exp(headline)}
