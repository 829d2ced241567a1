"""Tell differences between methods from chance: bootstrap over forget units, Holm's correction, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtrit

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


def apart(
    means: Floats, samples: Floats, by_seed: Floats, noise: float, floor: float
) -> npt.NDArray[np.bool_]:
    """Say which rows can be told from each other.

    A difference counts where it is all of three. It is larger than the noise floor. It is significant over
    forget units and training: the standard error has the part of the units, from the paired bootstrap, and
    that of training, which is taken to be as large for methods as it is for retrain; the correction is for
    all pairs of rows, since which are compared is seen in the same numbers. And the seeds agree: the t
    interval of the difference, paired by seed, lies on one side of 0, so that a method whose own training
    varies more than retrain's is not told apart by luck.

    Args:
        means: (k,) each row's distance to retrain; smaller is better.
        samples: (k, b) the same of each bootstrap repeat.
        by_seed: (k, n) the same of each seed.
        noise: variance by training of one row's mean.
        floor: distance of another retrain; to be closer than that is luck, and to lie within it of another
            row no difference.

    Returns:
        (k, k) True where the two rows are told apart.
    """
    rows = len(means)
    found = np.zeros((rows, rows), dtype=np.bool_)
    first, second = np.triu_indices(rows, 1)
    if not first.size:
        return found
    covariance = np.atleast_2d(np.cov(samples))
    variances = np.diag(covariance)
    spread = variances[first] + variances[second] - 2 * covariance[first, second] + 2 * noise
    differences = np.abs(means[first] - means[second])
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(differences > 0, differences / np.sqrt(np.maximum(spread, 0)), 0.0)
    is_significant = holm(2 * ndtr(-score)) < LEVEL
    lower = np.minimum(means[first], means[second])
    is_above = differences + lower - np.maximum(lower, floor) > floor
    told = is_significant & is_above & seeds_agree(by_seed[first] - by_seed[second])
    found[first, second] = found[second, first] = told
    return found


def seeds_agree(differences: Floats) -> npt.NDArray[np.bool_]:
    """Say where the t interval of differences over seeds lies on one side of 0.

    Args:
        differences: (m, n) differences of each pair of rows, by seed.

    Returns:
        (m,) False also for a single seed.

    Example:
        >>> seeds_agree(np.array([[0.1, 0.12, 0.11], [0.3, 0.01, 0.02]])).tolist()
        [True, False]
    """
    seeds = differences.shape[1]
    if seeds < 2:
        return np.zeros(len(differences), dtype=np.bool_)
    half = half_width(differences.std(axis=1, ddof=1), seeds)
    agree: npt.NDArray[np.bool_] = np.abs(differences.mean(axis=1)) > half
    return agree


def half_width(deviation: Any, seeds: int) -> Any:
    """Return half the 95 % t interval of a mean over seeds; with 3 seeds it is 2.5 standard deviations.

    Args:
        deviation: sample standard deviation over the seeds, a number or an array.
        seeds: their number, at least 2.

    Example:
        >>> round(half_width(0.01, 3), 4)
        0.0248
    """
    return deviation * (stdtrit(seeds - 1, 1 - LEVEL / 2) / seeds**0.5)


def like_the_best(means: Floats, told: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say which rows cannot be told from the best one, the row with the smallest mean.

    Args:
        means: (k,) each row's distance to retrain.
        told: (k, k) which rows are told apart.

    Returns:
        (k,) True for the best row and those that are not told from it.
    """
    return ~told[int(np.argmin(means))] if means.size else np.zeros(0, dtype=np.bool_)


def shared_ranks(means: Floats, told: npt.NDArray[np.bool_]) -> list[int]:
    """Rank rows from the smallest mean on: a row shares the rank before it unless told from its first row.

    Args:
        means: (k,) each row's distance to retrain.
        told: (k, k) which rows are told apart.

    Returns:
        The rank of each row, from 1; it counts the rows of the groups before.

    Example:
        >>> shared_ranks(np.array([0.3, 0.1, 0.2]), np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], bool))
        [3, 1, 1]
    """
    ranks = [0] * len(means)
    leader, rank = -1, 0
    for place, row in enumerate(np.argsort(means, kind="stable")):
        if leader < 0 or told[leader, row]:
            leader, rank = int(row), place + 1
        ranks[row] = rank
    return ranks
