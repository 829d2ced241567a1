"""Compare with retrain pair by pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mmulbench.core.metric import HEADLINE, POSITIVE, Bounds, Needs, PathMetric
from mmulbench.core.observations import Estimate, Estimates, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("agreement")
class AgreementWithRetrain(PathMetric):
    """Measures whether the same pairs are hard, see `mmulbench.metrics.agreement.agreement`."""

    title = "Agreement"
    direction = "higher"
    definition = (
        "correlation over forget-set pairs between the model's and retrain's confidence log(p / (1 - p)); "
        "retrain's own is 1 by construction, so what can be reached is the value of another retrain, the row "
        "retrain_again; the path with the smallest; the detail `residual_sd` is the standard deviation of "
        "the difference in logits (retrain's own: 0)"
    )
    source = "my own"
    needs = Needs(losses=("forget",), retrain_losses=("forget",))
    chance = 0.0
    bounds = (-1.0, 1.0)
    part_bounds: ClassVar[Mapping[str, Bounds]] = {"residual_sd": POSITIVE}

    def compute(self, observation: PathObservation) -> Estimates:
        """Compute the correlation, and how far single pairs lie from retrain's."""
        from mmulbench.metrics.agreement import agreement

        found = agreement(observation.model.losses["forget"], observation.retrain.losses["forget"])
        return {
            HEADLINE: Estimate(found.correlation, found.n),
            "residual_sd": Estimate(found.residual_sd, found.n),
        }
