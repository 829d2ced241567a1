"""Compare a model with retrain pair by pair, where attacks compare whole sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmulbench.metrics.populations import confidence
from mmulbench.metrics.separation import Floats, finite_vector


@dataclass(frozen=True)
class Agreement:
    """Holds how alike two models judge the same pairs.

    Attributes:
        correlation: pearson correlation of their confidences; 0 where one model is as sure of all pairs.
        residual_sd: standard deviation of the difference of their confidences, in logits; 0 where they differ
            by a constant alone.
        n: pairs judged.
    """

    correlation: float
    residual_sd: float
    n: int


def agreement(own_losses: Floats, retrain_losses: Floats) -> Agreement:
    """Compare a model's confidence log(p / (1 - p)) of each pair with retrain's.

    A method may give a set of pairs the losses of unseen pairs and still mix up which of them is hard: the
    attack's AUC is then retrain's, the correlation is not. The residual is that of the plain difference. The
    residual of a fitted line would follow from the correlation, and be 0 for a model that says the same of
    all pairs.

    Args:
        own_losses: (n,) the model's loss of each pair.
        retrain_losses: (n,) retrain's losses, in the same order.

    Raises:
        ValueError: there are no pairs, or the two models were measured on different numbers of them.
        Diverged: a loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> agreement(np.log([2.0, 3.0, 5.0]), np.log([2.0, 3.0, 5.0]))
        Agreement(correlation=1.0, residual_sd=0.0, n=3)
    """
    own, retrain = finite_vector(own_losses, "losses"), finite_vector(retrain_losses, "losses of retrain")
    if own.shape != retrain.shape:
        raise ValueError(f"{own.size} losses but {retrain.size} of retrain; measure both on the same pairs")
    ours, theirs = confidence(own), confidence(retrain)
    x, y = ours - ours.mean(), theirs - theirs.mean()
    varies = min(np.ptp(ours), np.ptp(theirs)) > 0
    correlation = float(x @ y / np.sqrt((x @ x) * (y @ y))) if varies else 0.0
    return Agreement(correlation, float(np.std(x - y)), own.size)
