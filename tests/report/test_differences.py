"""Bootstrap and correction against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mmulbench.report.differences import LEVEL, draws, holm, like_the_best, resampled_mean

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


def test_a_difference_counts_when_it_is_significant_and_above_the_floor():
    rng = np.random.default_rng(0)
    samples = 0.01 * rng.normal(size=(2, 4000))  # the standard error of a difference is .014
    enough = 1.05 * norm.isf(LEVEL / 2) * 0.01 * np.sqrt(2)

    def alike(apart: float, noise: float = 0.0, floor: float = 0.0) -> bool:
        found = like_the_best(np.array([0.1, 0.1 + apart]), samples, noise, floor)
        assert found[0]
        return bool(found[1])

    assert not alike(enough)
    assert alike(0.9 * enough)
    assert alike(enough, floor=1.01 * enough)
    assert alike(enough, noise=0.01**2)


def test_what_is_closer_than_another_retrain_is_no_closer():
    still = np.zeros((3, 100))
    assert like_the_best(np.array([0.0, 0.019, 0.03]), still, 0.0, 0.01).tolist() == [True, True, False]


def test_pairs_are_compared_with_the_same_draws():
    # Two rows that move together are told apart by a difference far below the spread of either.
    shared = 0.05 * np.random.default_rng(0).normal(size=4000)
    own = 0.001 * np.random.default_rng(1).normal(size=(2, 4000))
    assert like_the_best(np.array([0.1, 0.11]), shared + own, 0.0, 0.0).tolist() == [True, False]


def test_a_row_alone_is_the_best():
    assert like_the_best(np.array([0.3]), np.zeros((1, 10)), 0.0, 0.1).tolist() == [True]
