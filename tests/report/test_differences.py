"""Bootstrap and correction against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from mmulbench.report.differences import (
    LEVEL,
    apart,
    draws,
    half_width,
    holm,
    like_the_best,
    resampled_mean,
    seeds_agree,
    shared_ranks,
)

UNITS = 80


def test_all_units_are_drawn_as_often_as_there_are_units():
    times = draws(UNITS, seed=1)
    assert times.shape[1] == UNITS
    assert (times.sum(axis=1) == UNITS).all()
    assert np.array_equal(times, draws(UNITS, seed=1))
    assert not np.array_equal(times, draws(UNITS, seed=2))


def test_a_resampled_mean_spreads_like_the_mean_of_so_many_units():
    numbers = np.random.default_rng(0).normal(size=UNITS)
    means = resampled_mean(numbers, np.ones(UNITS), draws(UNITS, seed=1))
    assert means.mean() == pytest.approx(numbers.mean(), abs=0.01)
    assert means.std() == pytest.approx(numbers.std() / np.sqrt(UNITS), rel=0.06)


def test_a_unit_with_more_pairs_weighs_more():
    means = resampled_mean(np.array([0.0, 1.0]), np.array([1.0, 3.0]), np.array([[1.0, 1.0], [2.0, 0.0]]))
    assert means.tolist() == [0.75, 0.0]


def test_holm_steps_down():
    # 3 x .01, then at least that much for 2 x .02, then 1 x .9.
    assert holm(np.array([0.9, 0.01, 0.02])).tolist() == pytest.approx([0.9, 0.03, 0.04])
    assert holm(np.array([0.6, 0.6])).tolist() == [1.0, 1.0]


def best(means, samples, noise, floor):
    """Which rows are like the best, where each has the same distance on three seeds."""
    by_seed = np.repeat(means[:, None], 3, axis=1)
    return like_the_best(means, apart(means, samples, by_seed, noise, floor))


def test_a_difference_counts_when_it_is_significant_and_above_the_floor():
    rng = np.random.default_rng(0)
    samples = 0.01 * rng.normal(size=(2, 4000))  # the standard error of a difference is .014
    enough = 1.05 * norm.isf(LEVEL / 2) * 0.01 * np.sqrt(2)

    def alike(apart: float, noise: float = 0.0, floor: float = 0.0) -> bool:
        found = best(np.array([0.1, 0.1 + apart]), samples, noise, floor)
        assert found[0]
        return bool(found[1])

    assert not alike(enough)
    assert alike(0.9 * enough)
    assert alike(enough, floor=1.01 * enough)
    assert alike(enough, noise=0.01**2)


def test_what_is_closer_than_another_retrain_is_no_closer():
    still = np.zeros((3, 100))
    assert best(np.array([0.0, 0.019, 0.03]), still, 0.0, 0.01).tolist() == [True, True, False]


def test_pairs_are_compared_with_the_same_draws():
    # Two rows that move together are told apart by a difference far below the spread of either.
    shared = 0.05 * np.random.default_rng(0).normal(size=4000)
    own = 0.001 * np.random.default_rng(1).normal(size=(2, 4000))
    assert best(np.array([0.1, 0.11]), shared + own, 0.0, 0.0).tolist() == [True, False]


def test_a_row_alone_is_the_best():
    assert best(np.array([0.3]), np.zeros((1, 10)), 0.0, 0.1).tolist() == [True]


def test_seeds_that_disagree_tell_nothing_apart():
    # The same mean difference of .1 over three seeds, once with a spread that the interval does not bear.
    means, still = np.array([0.1, 0.2]), np.zeros((2, 100))
    for by_seed, told in (([0.09, 0.1, 0.11], True), ([-0.1, 0.1, 0.3], False)):
        found = apart(means, still, np.array([[0.1] * 3, [0.1 + one for one in by_seed]]), 0.0, 0.01)
        assert found.tolist() == [[False, told], [told, False]]


def test_the_interval_over_seeds_is_students():
    numbers = np.array([0.1, 0.14, 0.09])
    low, high = t.interval(0.95, 2, numbers.mean(), numbers.std(ddof=1) / np.sqrt(3))
    assert half_width(numbers.std(ddof=1), 3) == pytest.approx((high - low) / 2)
    assert seeds_agree(numbers[None, :]).tolist() == [low > 0]
    assert seeds_agree(np.array([[5.0]])).tolist() == [False], "one seed says nothing"


def test_a_row_shares_the_rank_of_a_group_unless_it_is_told_from_its_first():
    # Neighbours are alike in a chain, the ends are not: the third begins a group of its own.
    means = np.array([0.3, 0.1, 0.2, 0.4])
    told = np.zeros((4, 4), dtype=bool)
    for one, other in ((0, 1), (1, 3), (2, 3)):
        told[one, other] = told[other, one] = True
    assert shared_ranks(means, told) == [3, 1, 1, 3]
    assert shared_ranks(np.empty(0), np.empty((0, 0), dtype=bool)) == []
