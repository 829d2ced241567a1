"""Tell differences between methods from chance: cluster bootstrap over forget units, Holm's correction."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]

LEVEL = 0.05
"""Probability of telling any two rows of a column apart that are alike."""

REPEATS = 2000
"""Bootstrap repeats; the standard error of a difference is known to 2 % by them."""


def draws(units: int, seed: int, repeats: int = REPEATS) -> Floats:
    """Draw forget units with replacement.

    Args:
        units: number of forget units.
        seed: seed of the draws; what is compared takes the same.
        repeats: how often all units are drawn.

    Returns:
        (repeats, units) how often each unit is drawn.
    """
    drawn = np.random.default_rng(seed).integers(units, size=(repeats, units))
    numbered = drawn + units * np.arange(repeats)[:, None]
    return np.bincount(numbered.ravel(), minlength=repeats * units).reshape(repeats, units).astype(np.float64)


def resampled_mean(by_unit: Floats, weights: Floats, times: Floats) -> Floats:
    """Compute a mean over the pairs of resampled units.

    Args:
        by_unit: (u,) mean of each unit.
        weights: (u,) pairs of each unit.
        times: (b, u) how often each unit is drawn.

    Returns:
        (b,) the mean of each repeat.
    """
    mean: Floats = times @ (by_unit * weights) / (times @ weights)
    return mean


def holm(p_values: npt.NDArray[Any]) -> Floats:
    """Correct p-values for their number.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.

    Args:
        p_values: (m,) p-values of all comparisons that are looked at.

    Returns:
        (m,) corrected p-values, in the same order.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def like_the_best(means: Floats, samples: Floats, noise: float, floor: float) -> npt.NDArray[np.bool_]:
    """Say which rows cannot be told from the best one, the row with the smallest mean.

    The standard error of a difference has two parts: that of the forget units, from the paired bootstrap,
    and that of training, which is taken to be as large for methods as it is for retrain. Which row is the
    best is seen in the same numbers, so the correction is for all pairs of rows, not for those with the best.

    Args:
        means: (k,) each row's distance to retrain; smaller is better.
        samples: (k, b) the same of each bootstrap repeat.
        noise: variance by training of one row's mean.
        floor: distance of another retrain; to be closer than that is luck, and to lie within it of the best
            no difference.

    Returns:
        (k,) True for the best row and those that are not significantly worse or are within the floor.
    """
    first, second = np.triu_indices(len(means), 1)
    best = int(np.argmin(means))
    alike: npt.NDArray[np.bool_] = means - max(float(means[best]), floor) <= floor
    if first.size:
        covariance = np.atleast_2d(np.cov(samples))
        variances = np.diag(covariance)
        spread = variances[first] + variances[second] - 2 * covariance[first, second] + 2 * noise
        apart = np.abs(means[first] - means[second])
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(apart > 0, apart / np.sqrt(np.maximum(spread, 0)), 0.0)
        corrected = holm(2 * ndtr(-score))
        with_best = (first == best) | (second == best)
        other = np.where(first == best, second, first)[with_best]
        alike[other] |= corrected[with_best] >= LEVEL
    return alike
