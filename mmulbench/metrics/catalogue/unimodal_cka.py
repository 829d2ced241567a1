"""Measure whether each encoder still arranges items as the original's does."""

from __future__ import annotations

from mmulbench.core.metric import HEADLINE, Needs, UnimodalMetric
from mmulbench.core.observations import Estimate, Estimates, UnimodalObservation
from mmulbench.core.registry import METRICS


@METRICS.register("unimodal_cka")
class UnimodalCka(UnimodalMetric):
    """Measures unimodal knowledge retention, see `mmulbench.metrics.unimodal.linear_cka`."""

    title = "Unimodal CKA"
    direction = "not_below_retrain"
    definition = (
        "linear CKA, debiased, of an encoder's pooled outputs of test items with the original's: 1 is the "
        "same arrangement, 0 an unrelated one; the modality with the smallest; the detail `to_retrain` "
        "compares with retrain's outputs"
    )
    source = (
        "Kornblith et al. 2019 (arXiv 1905.00414), for the unimodal knowledge retention of arXiv 2311.12047"
    )
    needs = Needs(pooled=True)
    chance = 0.0
    bounds = (-1.0, 1.0)

    def compute(self, observation: UnimodalObservation) -> Estimates:
        """Compare with the original, and with retrain where there is one."""
        from mmulbench.metrics.unimodal import linear_cka

        own, retrain = observation.model, observation.retrain
        found = {HEADLINE: Estimate(linear_cka(own, observation.original), len(own))}
        if retrain is not None:
            found["to_retrain"] = Estimate(linear_cka(own, retrain), len(own), chance=0.0)
        return found
