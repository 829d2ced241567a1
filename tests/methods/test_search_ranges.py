"""Where methods are tuned: every number that a loss or a step is made of, around what its sources use."""

from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

import pytest

from mmulbench.core.registry import METHODS
from mmulbench.core.search_space import SearchDimension, search_space

RANGES = {
    (name, setting): dimension
    for name in METHODS.names()
    for setting, dimension in search_space(METHODS.get(name).Config).items()
}
GUARANTEE = {("l_codec", "epsilon"), ("l_codec", "delta")}
"""They scale the same noise as the damping."""

OF_SOURCES = {
    ("mmul", "gamma"): (1.0,),
    ("neggrad_plus", "alpha"): (0.95, 0.9999),
    ("scrub", "alpha"): (0.001, 0.5),
    ("scrub", "gamma"): (0.99, 1.0),
    ("scrub", "temperature"): (2.0, 4.0),
    ("kga", "alpha"): (0.1, 0.3),
    ("fisher", "alpha"): (1e-8, 1e-5),
    ("l_codec", "damping"): (0.01, 0.1),
    ("influence", "alpha"): (0.2, 1.0),
    ("ssd", "alpha"): (5.0, 10.0),
    ("l1_sparse", "gamma"): (1e-4, 5e-4),
}
"""Values that the docstrings quote."""


@pytest.mark.parametrize("name", METHODS.names())
def test_every_number_that_is_no_count_is_searched(name):
    hints = get_type_hints(METHODS.get(name).Config)
    numbers = {(name, one.name) for one in fields(METHODS.get(name).Config) if hints[one.name] is float}
    assert numbers - set(RANGES) - GUARANTEE == set()


@pytest.mark.parametrize(("place", "range_"), RANGES.items(), ids=map(".".join, RANGES))
def test_the_default_is_in_the_range(place: tuple[str, str], range_: SearchDimension):
    name, setting = place
    assert range_.search.low <= getattr(METHODS.get(name).Config(), setting) <= range_.search.high


@pytest.mark.parametrize(("place", "values"), OF_SOURCES.items(), ids=map(".".join, OF_SOURCES))
def test_values_of_the_sources_are_in_the_range(place: tuple[str, str], values: tuple[float, ...]):
    search = RANGES[place].search
    assert all(search.low <= value <= search.high for value in values)


def test_learning_rates_go_two_decades_above_the_default():
    ranges = [RANGES[place].search for place in RANGES if place[1] == "lr"]
    assert {(one.low, one.high, one.log) for one in ranges} == {(1e-5, 3e-2, True)} and len(ranges) > 15
