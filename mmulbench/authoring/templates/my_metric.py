"""How much of the forget set has a higher loss than a typical test pair."""

from __future__ import annotations

import numpy as np

from mmulbench import (
    HEADLINE,
    METRICS,
    Estimate,
    Estimates,
    Needs,
    PathMetric,
    PathObservation,
    finite_vector,
)


@METRICS.register("my_metric")
class MyMetric(PathMetric):
    """Measures P(loss of a forget pair > median loss of the test pairs)."""

    # What lists and tables say of it. A direction is "higher", "lower", "closest_to_retrain" or
    # "not_below_retrain".
    title = "Above test median"
    direction = "closest_to_retrain"
    definition = "share of forget-set pairs whose loss is above the median loss of test pairs"
    source = "my own"

    # What it reads, and its value where a model had no effect at all.
    needs = Needs(losses=("forget", "test"))
    chance = 0.5

    # The metric itself, for one model on one association path; the record shows the worst path.
    def compute(self, observation: PathObservation) -> Estimates:
        """Return the share, and the number of pairs that it rests on."""
        losses = observation.model.losses
        forget = finite_vector(losses["forget"], "forget losses")
        test = finite_vector(losses["test"], "test losses")
        share = float(np.mean(forget > np.median(test)))
        return {HEADLINE: Estimate(share, n=forget.size)}
