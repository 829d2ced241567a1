"""Measure whether each encoder still knows what the original's does."""

from __future__ import annotations

import math

from mmulbench.core.metric import HEADLINE, Needs, UnimodalMetric
from mmulbench.core.observations import Estimate, Estimates, UnimodalObservation
from mmulbench.core.registry import METRICS


@METRICS.register("unimodal_probe")
class UnimodalProbe(UnimodalMetric):
    """Measures unimodal knowledge retention, see `mmulbench.metrics.unimodal.probe_r2`."""

    title = "Unimodal probe"
    direction = "not_below_retrain"
    definition = (
        "cross-validated R² of a ridge regression that predicts the original's pooled outputs of test items "
        "from those of the same encoder of the model, mean over dimensions weighted by variance: 1 is all, 0 "
        "nothing; the modality with the smallest; the detail `to_retrain` predicts retrain's outputs"
    )
    source = "linear probing, for the unimodal knowledge retention of arXiv 2311.12047"
    needs = Needs(pooled=True)
    chance = 0.0
    bounds = (-math.inf, 1.0)

    def compute(self, observation: UnimodalObservation) -> Estimates:
        """Predict the original's outputs, and retrain's where there is one."""
        from mmulbench.metrics.unimodal import probe_r2

        own, retrain = observation.model, observation.retrain
        found = {HEADLINE: Estimate(probe_r2(own, observation.original), len(own))}
        if retrain is not None:
            found["to_retrain"] = Estimate(probe_r2(own, retrain), len(own), chance=0.0)
        return found
