"""The noise floor of planted retrains."""

from __future__ import annotations

import math
from statistics import fmean

import pytest
from planted_results import World

from mmulbench.report.aggregate import group_records
from mmulbench.report.noise_floor import NoiseFloor


def floor_of(records, key):
    (group,) = group_records(records)
    return NoiseFloor.of(group, key)


def test_it_is_the_distance_of_the_draws_with_their_range():
    records = World(seeds=(21, 42)).records({}, draws=4)
    draws = [one for one in records if one.spec.method == "retrain_again"]
    for key in ("forget", "mia/matching", "retrain_gap"):
        distances = [abs(one.values[key].value - one.values[key].retrain) for one in draws]
        floor = floor_of(records, key)
        assert floor.mean == pytest.approx(fmean(distances))
        assert (floor.low, floor.high) == pytest.approx((min(distances), max(distances)))
        assert floor.draws == 8


def test_its_variance_is_that_of_training():
    # Planted: .01 by training, and .02 of 68 units.
    records = World(seeds=range(30)).records({}, draws=5)
    variance = 0.01**2 + 0.02**2 / 68
    assert floor_of(records, "forget").variance == pytest.approx(variance, rel=0.25)
    assert floor_of(records, "retrain_gap").variance == pytest.approx(4 * variance / 16, rel=0.25)


def test_the_mean_of_many_is_what_two_equal_normal_values_give():
    records = World(seeds=range(100)).records({}, draws=1)
    assert floor_of(records, "test").mean == pytest.approx(0.01 * 2 / math.sqrt(math.pi), rel=0.2)


def test_without_draws_there_is_none():
    assert floor_of(World().records({}, draws=0), "forget") is None
    assert floor_of(World().records({}), "nothing") is None
