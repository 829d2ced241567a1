"""What is searched is written beside the setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import Field

from mmulbench.core.search_space import NoSettings, Search, SearchDimension, search_space


@dataclass(frozen=True)
class Config:
    steps: Annotated[int, Field(ge=1), Search(1, 9)] = 3
    name: str = "a"
    rate: Annotated[float, Search(0.01, 1.0, log=True), Field(gt=0)] = 0.1
    fixed: Annotated[float, Field(gt=0)] = 1.0


def test_the_searched_settings_are_those_with_a_search_in_the_order_of_the_fields():
    assert list(search_space(Config).items()) == [
        ("steps", SearchDimension(Search(1, 9), whole=True)),
        ("rate", SearchDimension(Search(0.01, 1.0, log=True), whole=False)),
    ]


def test_no_settings_are_searched_where_there_are_none():
    assert search_space(NoSettings) == {}


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_needs_two_finite_ends_in_order(low, high):
    with pytest.raises(ValueError, match="low must be below high, both finite"):
        Search(low, high)


def test_a_range_of_ratios_begins_above_0():
    with pytest.raises(ValueError, match="low must be above 0"):
        Search(0.0, 1.0, log=True)
