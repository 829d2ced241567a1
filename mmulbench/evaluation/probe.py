"""Fit a linear head to a model's fused representations, for models whose own head has learnt nothing yet.

A checkpoint's encoders may know a task's pairs by heart although the head for its classes is new, and says
nothing. What the encoders know shows in the losses of a head that is fitted to some of the pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmulbench.core.data import Integers, Split
from mmulbench.core.encoding import ItemEncoder
from mmulbench.core.model import ClassificationModel
from mmulbench.errors import Diverged
from mmulbench.evaluation.measure import EvaluationSets, fused_outputs
from mmulbench.seeds import generator

PROBE = "probe"
"""Name of the losses of a fitted head, beside those of association paths."""

INVERSE_PENALTY = 1.0
"""C of the logistic regression. Often features outnumber pairs, and a head that fits all pairs is useless."""

FLOOR = 1e-12
"""Least probability of a class, such as of one that the head was not fitted on."""


def probe_losses(
    model: ClassificationModel, sets: EvaluationSets, seed: int
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Integers]] | None:
    """Compute each pair's loss by a linear head that is fitted to half of the retain set's units.

    Args:
        model: the model; set to evaluation mode.
        sets: sets that it is judged on.
        seed: seed of the halves.

    Returns:
        By ``forget``, ``retain`` (the other half) and ``test``: losses, and the unit of each pair. None where
        the fitted half is of a single class.

    Raises:
        Diverged: A representation is not finite.
    """
    encoder = ItemEncoder(model.eval(), sets.features)
    retain = sets.splits["retain"]
    order = generator(seed, "probe").permutation(retain.units)
    fitted, judged = retain.only(order[::2]), {**sets.splits, "retain": retain.only(order[1::2])}
    labels = _labels(fitted)
    if len(np.unique(labels)) < 2 or not len(judged["retain"]):
        return None
    head = make_pipeline(StandardScaler(), LogisticRegression(C=INVERSE_PENALTY, max_iter=1000))
    with threadpool_limits(1):  # on several threads, matrices this small are slower, and rounded otherwise
        head.fit(_finite(fused_outputs(model, fitted, encoder)), labels)
        found = {}
        for name, split in judged.items():
            chances = np.full((len(split), sets.classes), FLOOR)
            chances[:, head.classes_] = head.predict_proba(_finite(fused_outputs(model, split, encoder)))
            own = chances[np.arange(len(split)), _labels(split)]
            found[name] = -np.log(own.clip(FLOOR, 1.0))
    return found, {name: split.first for name, split in judged.items()}


def _labels(split: Split) -> Integers:
    assert split.label is not None
    return split.label


def _finite(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the features.

    Raises:
        Diverged: One is not finite.
    """
    if not np.isfinite(features).all():
        raise Diverged("a fused representation is NaN or infinite; the model has diverged")
    return features
