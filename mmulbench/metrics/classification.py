"""Measure classification: accuracy, precision, recall, F1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from mmulbench.core.observations import Estimate


def classification_utility(
    predicted: npt.NDArray[np.integer], gold: npt.NDArray[np.integer], classes: int
) -> dict[str, Estimate]:
    """Compute the measures of predicted classes.

    With two classes precision, recall and F1 are those of class 1 (the relation holds, the statement is
    true), with more the unweighted mean over classes; a class that is never predicted counts 0.

    Args:
        predicted: (n,) class indices.
        gold: (n,) class indices.
        classes: number of classes.

    Returns:
        ``accuracy``, ``precision``, ``recall`` and ``f1``. Chance is what the best constant answer reaches.

    Raises:
        ValueError: when there are no pairs.

    Example:
        >>> import numpy as np
        >>> found = classification_utility(np.array([1, 0, 1]), np.array([1, 0, 0]), classes=2)
        >>> round(found['accuracy'].value, 3), round(found['f1'].value, 3)
        (0.667, 0.667)
    """
    if len(gold) == 0:
        raise ValueError("utility needs at least one pair")
    found = _measures(predicted, gold, classes)
    constant = [_measures(np.full_like(gold, label), gold, classes) for label in range(classes)]
    chance = {name: max(measures[name] for measures in constant) for name in found}
    return {name: Estimate(value, len(gold), chance=chance[name]) for name, value in found.items()}


def unit_accuracy(
    predicted: npt.NDArray[np.integer], gold: npt.NDArray[np.integer], units: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """Compute the share of right pairs of each unit.

    Args:
        predicted: (n,) class indices.
        gold: (n,) class indices.
        units: (n,) the unit of each pair.

    Returns:
        (u,) shares, in the ascending order of the units.

    Example:
        >>> import numpy as np
        >>> unit_accuracy(np.array([1, 0, 1]), np.array([1, 1, 1]), np.array([4, 4, 2])).tolist()
        [1.0, 0.5]
    """
    _, unit = np.unique(units, return_inverse=True)
    return np.asarray(np.bincount(unit, predicted == gold) / np.bincount(unit), dtype=np.float64)


def _measures(
    predicted: npt.NDArray[np.integer], gold: npt.NDArray[np.integer], classes: int
) -> dict[str, float]:
    average = {"average": "binary", "pos_label": 1} if classes == 2 else {"average": "macro"}
    labels = None if classes == 2 else list(range(classes))
    precision, recall, f1, _ = precision_recall_fscore_support(
        gold, predicted, labels=labels, zero_division=0.0, **average
    )
    accuracy = accuracy_score(gold, predicted)
    return {
        "accuracy": float(accuracy),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }
