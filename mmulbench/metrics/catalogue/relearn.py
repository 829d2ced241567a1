"""Train a model on half of the forget set again: does what was deleted come back faster than it is learnt?"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar

from mmulbench.core.metric import HEADLINE, SHARE, Bounds, Needs, RecoveryMetric
from mmulbench.core.observations import Estimate, Estimates, PathRecovery
from mmulbench.core.registry import METRICS

if TYPE_CHECKING:
    from mmulbench.core.observations import Booleans, Floats

HALVES = ("shown", "held_out")
"""Halves of the forget set: the one that is trained on again, and the other."""


@METRICS.register("relearn")
class Relearn(RecoveryMetric):
    """Measures what a model knows more of the forget set than retrain while both are trained on half."""

    title = "Relearning"
    direction = "closest_to_retrain"
    definition = (
        "attack AUC (P(a forget-set pair has a lower loss than a test pair)) less retrain's, mean over both "
        "halves of the forget set and over 1, 2, 4, 8, 16 and 32 training steps on one of them; 0 is as "
        "retrain, above it what was deleted comes back faster than it is learnt, below it the model learns "
        "it more slowly. All models see the same batches, by AdamW at a tenth of the recipe's learning rate. "
        "Details: the AUC after each number of steps, `shown_<steps>` of the half that is trained on and "
        "`held_out_<steps>` of the other. Only records that it is asked for have it, with `mmulbench "
        "evaluate RECORD --metrics relearn`"
    )
    source = (
        "relearn time of Golatkar et al. 2020 (arXiv 1911.04933); relearning with a held-out half of Deeb "
        "and Roger 2024 (arXiv 2410.08827) and Hu et al. 2024 (arXiv 2406.13356); the difference to retrain "
        "is my own"
    )
    needs = Needs(relearned_losses=("forget", "test"))
    chance = 0.0
    bounds = (-1.0, 1.0)
    part_bounds: ClassVar[Mapping[str, Bounds]] = {
        f"{half}_{step}": SHARE for half in HALVES for step in RecoveryMetric.steps
    }

    def compute(self, recovery: PathRecovery) -> Estimates:
        """Compute the attack's AUC of both halves after each number of steps, and its mean lead."""
        found: dict[str, Estimate] = {}
        gains: list[float] = []
        pairs = 0
        for step in self.steps:
            own, retrain = (_aucs(one[step], recovery.shown) for one in (recovery.model, recovery.retrain))
            found |= {f"{half}_{step}": one for half, one in own.items()}
            gains += [one.value - retrain[half].value for half, one in own.items() if step]
            pairs = recovery.shown.size + recovery.model[step]["test"].size
        return {HEADLINE: Estimate(fmean(gains), pairs), **found}


def _aucs(losses: Mapping[str, Floats], shown: Booleans) -> dict[str, Estimate]:
    """Return the attack's AUC on each half.

    Raises:
        ValueError: A side is empty, or losses and halves differ in number.
        Diverged: A loss is NaN or infinite.
    """
    from mmulbench.metrics.separation import exact_auc, finite_vector

    forget = finite_vector(losses["forget"], "forget losses")
    test = finite_vector(losses["test"], "test losses")
    if shown.shape != forget.shape:
        raise ValueError(f"{forget.size} forget losses, but halves of shape {shown.shape}: give one per pair")
    halves = dict(zip(HALVES, (forget[shown], forget[~shown]), strict=True))
    return {
        half: Estimate(exact_auc(of_half, test), of_half.size + test.size, chance=0.5)
        for half, of_half in halves.items()
    }
