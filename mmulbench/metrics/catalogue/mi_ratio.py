"""Compare how sure a fixed attacker is of the forget set before and after unlearning."""

from __future__ import annotations

from mmulbench.core.metric import HEADLINE, Estimate, Estimates, Needs, PathMetric, PathObservation
from mmulbench.core.registry import METRICS


@METRICS.register("mi_ratio")
class MiRatio(PathMetric):
    """Measures the paper's MI, see `mmulbench.metrics.membership.mi_ratio`."""

    title = "MI ratio"
    direction = "higher"
    definition = (
        "mean p(member) over forget-set pairs by the original / the same mean by the unlearned model, "
        "attacker fitted on the original (retain set against test); the path with the smallest ratio "
        "(GNNDelete's code stores after / before)"
    )
    source = "arXiv 2311.12047, MI"
    needs = Needs(losses=("forget",), original_losses=("forget", "retain", "test"))
    chance = 1.0

    def compute(self, observation: PathObservation) -> Estimates:
        """Fit the attacker on the original and compute the ratio."""
        from mmulbench.metrics.membership import MembershipAttacker, mi_ratio

        before, after = observation.original.losses, observation.model.losses["forget"]
        attacker = MembershipAttacker.fit(before["retain"], before["test"])
        return {HEADLINE: Estimate(mi_ratio(attacker, before["forget"], after), len(after))}
