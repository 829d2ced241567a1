"""Say how sure a difference between two methods is: by its seeds, and by the forget units of these seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mmulbench.report.differences import LEVEL, Floats

FEWEST_SEEDS = 3
"""With fewer seeds there is no interval over seeds: of two, the quantile of Student's t is 12.7."""

SAME = 1e-12
"""Spread of differences, as a part of their size, up to which they are one number that was rounded."""


@dataclass(frozen=True)
class Interval:
    """Holds how sure a mean difference is.

    Attributes:
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        p: p-value of the difference, not corrected.
        effect: mean difference by the standard deviation of the single differences (Cohen's d of pairs); None
            where these are not known, or are all the same.
        n: number of differences that it rests on.
    """

    low: float
    high: float
    p: float
    effect: float | None
    n: int


def over_seeds(differences: Floats) -> Interval | None:
    """Judge differences of seeds, of which each has models and mostly a forget set of its own.

    Source: Student's paired t-test.

    Args:
        differences: (n,) difference of each seed.

    Returns:
        The interval for other seeds; None below `FEWEST_SEEDS`, and where all differ by the same number,
        which is no matter of chance then. Where nothing differs it has no width.

    Example:
        >>> found = over_seeds(np.array([0.1, 0.2, 0.3]))
        >>> round(found.low, 3), round(found.high, 3), found.n
        (-0.048, 0.448, 3)
    """
    n = len(differences)
    if n < FEWEST_SEEDS:
        return None
    mean, sd = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if sd <= SAME * abs(mean):
        return Interval(0.0, 0.0, 1.0, None, n) if mean == 0 else None
    tested = stats.ttest_1samp(differences, 0.0)
    ends = tested.confidence_interval(1 - LEVEL)
    return Interval(float(ends.low), float(ends.high), float(tested.pvalue), mean / sd, n)


def over_units(difference: float, samples: Floats, units: int, spread: float | None) -> Interval:
    """Judge a difference by what other units would make of it, the models being those that are there.

    Args:
        difference: mean difference over seeds.
        samples: (b,) the same of each bootstrap repeat.
        units: forget units, all seeds together.
        spread: standard deviation of the differences of single units; None where there are none.

    Returns:
        The interval by the bootstrap's standard error, with which the p-value agrees.
    """
    error = float(np.std(samples, ddof=1))
    effect = difference / spread if spread else None
    if error <= SAME * max(abs(difference), SAME):
        return Interval(difference, difference, 1.0 if difference == 0 else 0.0, effect, units)
    half = float(stats.norm.isf(LEVEL / 2)) * error
    p = 2 * float(stats.norm.sf(abs(difference) / error))
    return Interval(difference - half, difference + half, p, effect, units)


def pooled_spread(differences: list[Floats]) -> float:
    """Compute the standard deviation of units' differences within seeds.

    Args:
        differences: of each seed (u,) the differences of its units.
    """
    squares = sum(float(np.sum((one - one.mean()) ** 2)) for one in differences)
    freedom = sum(one.size - 1 for one in differences)
    return math.sqrt(squares / freedom) if freedom else 0.0
