"""Intervals of paired differences against what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmulbench.report.paired import over_seeds, over_units, pooled_spread


def test_the_interval_over_seeds_is_that_of_the_textbook():
    # Mean .2, sd .1, three seeds: the quantile of t with 2 degrees of freedom is 4.302653.
    found = over_seeds(np.array([0.1, 0.2, 0.3]))
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((0.2 - half, 0.2 + half), abs=1e-6)
    assert found.effect == pytest.approx(2.0)
    assert found.p == pytest.approx(0.0741799, abs=1e-6) and found.n == 3


def test_fewer_than_three_seeds_and_one_number_for_all_have_no_interval():
    assert over_seeds(np.array([0.1, 0.2])) is None
    assert over_seeds(np.full(3, 0.1)) is None
    nothing = over_seeds(np.zeros(3))
    assert (nothing.low, nothing.high, nothing.p, nothing.effect) == (0.0, 0.0, 1.0, None)


def test_over_seeds_nineteen_of_twenty_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    found = [over_seeds(rng.normal(0.3, 1.0, 3)) for _ in range(400)]
    assert np.mean([one.low <= 0.3 <= one.high for one in found]) == pytest.approx(0.95, abs=0.03)


def test_the_interval_over_units_and_its_p_value_agree():
    samples = np.random.default_rng(0).normal(0.0, 0.1, 2000)
    error = samples.std(ddof=1)
    edge = over_units(1.959964 * error, samples, 64, 0.5)
    assert edge.low == pytest.approx(0, abs=1e-6) and edge.p == pytest.approx(0.05, abs=1e-6)
    assert edge.effect == pytest.approx(1.959964 * error / 0.5) and edge.n == 64
    same = over_units(0.0, np.zeros(2000), 64, 0.0)
    assert (same.low, same.high, same.p, same.effect) == (0.0, 0.0, 1.0, None)


def test_the_spread_is_that_within_seeds():
    assert pooled_spread([np.array([0.0, 2.0]), np.array([10.0, 12.0])]) == pytest.approx(math.sqrt(2))
