"""Say of each forget unit what it adds to a record's values, so that differences can be judged by units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmulbench.core.observations import Measurements
from mmulbench.metrics.separation import placements

if TYPE_CHECKING:
    from mmulbench.core.data import Integers

DIGITS = 4
"""Digits after the point that are kept: a unit's own share is far less certain than that."""


def values_by_unit(model: Measurements, units: Integers) -> dict[str, list[float]]:
    """Compute one number for each forget unit and value, in the order of the units.

    The mean of ``mia/<path>`` over units, weighted by their pairs, is the AUC of the loss attack, and that of
    ``forget_vs_retain_auc/<path>`` is Df|Dr.

    Args:
        model: measurements of the unlearned model.
        units: (n,) forget unit of each pair of Df.

    Returns:
        ``pairs``, the number of pairs of each unit; ``forget``, its utility, where that was measured; and for
        each path the shares of test pairs with a higher loss, where there are losses, and of Dr pairs with a
        higher score.
    """
    _, place, pairs = np.unique(units, return_inverse=True, return_counts=True)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(place, values) / pairs)

    found = {"pairs": pairs.astype(np.float64)}
    if model.unit_utility is not None:
        found["forget"] = model.unit_utility
    for path, scores in model.scores.items():
        if losses := model.losses.get(path):
            found[f"mia/{path}"] = mean(placements(losses["forget"], losses["test"]))
        found[f"forget_vs_retain_auc/{path}"] = mean(placements(scores["forget"], scores["retain"]))
    return {name: values.round(DIGITS).tolist() for name, values in found.items()}
