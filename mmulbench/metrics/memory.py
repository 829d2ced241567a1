"""Tell whether a model has seen pairs: are their losses lower than those of pairs that it never saw?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from mmulbench.metrics.separation import Floats, exact_auc, placements

LIMIT = 0.6
"""AUC above which pairs count as seen. Pairs of another kind, without any memory, may exceed .5 a little."""

LEVEL = 0.99
"""Confidence of the intervals: of sets that were not seen, at most .5 % are taken for seen."""

Units = npt.NDArray[np.integer]


class UnitAuc(NamedTuple):
    """Holds an AUC with its interval, for which a unit with all its pairs counts as one.

    Attributes:
        value: P(a pair of one side has a lower loss than one of the other) + ties / 2.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float


def auc_of_units(lower: Floats, lower_units: Units, higher: Floats, higher_units: Units) -> UnitAuc:
    """Compute P(lower < higher) + ties / 2 with an interval that holds for few units, too.

    The variance is that of DeLong et al. (1988) with units in the place of pairs: of each side, the variance
    of the units' shares of won comparisons. The quantile is Student's t with the degrees of freedom of the
    smaller side, so that a handful of units makes a wide interval. Where the units have fewer orders
    than the level asks for, or a side has a single one, everything is left open; a bootstrap would say that
    there is no spread.

    Args:
        lower: (n,) losses of the side whose losses are asked to be lower.
        lower_units: (n,) the unit of each.
        higher: (m,) losses of the other side.
        higher_units: (m,) the unit of each; the two sides' units are different things even if named alike.

    Raises:
        ValueError: a side is empty.
        Diverged: a loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> losses = np.linspace(0.1, 0.7, 7), np.linspace(0.4, 1.0, 7)
        >>> auc = auc_of_units(losses[0], np.arange(7), losses[1], np.arange(7))
        >>> [round(float(end), 2) for end in auc]
        [0.84, 0.44, 1.0]
    """
    value = exact_auc(lower, higher)
    sides = (
        _variance(placements(lower, higher), lower_units),
        _variance(1 - placements(higher, lower), higher_units),
    )
    counts = [units for _, units in sides]
    capped = [min(units, 20) for units in counts]  # comb(2 + 20, 2) is enough already
    if min(counts) == 1 or math.comb(sum(capped), capped[0]) < 2 / (1 - LEVEL):
        return UnitAuc(value, 0.0, 1.0)
    total = sum(variance for variance, _ in sides)
    half = float(t.ppf((1 + LEVEL) / 2, min(counts) - 1)) * math.sqrt(total)
    return UnitAuc(value, max(value - half, 0.0), min(value + half, 1.0))


def _variance(shares: npt.NDArray[np.float64], units: Units) -> tuple[float, int]:
    """Return the variance of the mean of pairs' shares, NaN for a single unit, and the number of units."""
    place = np.unique(units, return_inverse=True)[1]
    residuals = np.bincount(place, shares - shares.mean())
    count = residuals.size
    scale = count / (count - 1) if count > 1 else math.nan
    return float(np.sum(residuals**2)) * scale / shares.size**2, count


@dataclass(frozen=True)
class Memory:
    """Holds how well a model remembers the forget set and the retain set, on one path.

    Attributes:
        forget: P(a forget-set pair has a lower loss than a test pair); .5 for pairs that were not seen.
        retain: the same of retain-set pairs.
        behind: P(a retain-set pair has a lower loss than a forget-set pair); .5 where both are alike.
    """

    forget: UnitAuc
    retain: UnitAuc
    behind: UnitAuc

    @property
    def shows_forget_set(self) -> bool:
        """Whether the forget set was seen, by its own losses."""
        return self.forget.low > LIMIT

    @property
    def shows_training_set(self) -> bool:
        """Whether the retain set was seen, and the forget set is not clearly less known.

        A few forget units show nothing by themselves. Where the data that they were drawn from was seen, it
        is for them to differ from it.
        """
        return self.retain.low > LIMIT and self.behind.low <= 0.5

    @property
    def is_seen(self) -> bool:
        """Whether the model has to be taken for one that saw the forget set."""
        return self.shows_forget_set or self.shows_training_set


def memory(losses: Mapping[str, Floats], units: Mapping[str, Units]) -> Memory:
    """Compare a model's losses of the forget set and the retain set with those of the test set.

    Args:
        losses: by ``forget``, ``retain`` and ``test``, the loss of each pair.
        units: by the same names, the unit of each pair.

    Raises:
        ValueError: a set is empty.
        Diverged: a loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> losses = {name: rng.random(30) for name in ("forget", "retain", "test")}
        >>> units = {name: np.arange(30) for name in losses}
        >>> memory(losses, units).is_seen, memory({**losses, "test": losses["test"] + 1}, units).is_seen
        (False, True)
    """

    def auc(one: str, other: str) -> UnitAuc:
        return auc_of_units(losses[one], units[one], losses[other], units[other])

    return Memory(auc("forget", "test"), auc("retain", "test"), auc("retain", "forget"))
