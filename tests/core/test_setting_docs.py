from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

import pytest
from pydantic import Field

from mmulbench.core.descent import DescentConfig
from mmulbench.core.search_space import NoSettings, Search
from mmulbench.core.setting_docs import bounds_in_words, described_attributes, prose, settings_of


@dataclass(frozen=True)
class Base:
    """Takes all from a paper.

    Attributes:
        weight: of the term; it goes on
            in a second line.
        share: part of it.
    """

    weight: Annotated[float, Field(gt=0, le=10), Search(0.1, 10.0, log=True)] = 1.0
    share: Annotated[float, Field(ge=0, lt=1), Search(0, 0.5)] = 0.25


@dataclass(frozen=True)
class Config(Base):
    """Keeps the weight of a later paper.

    Attributes:
        kind: which of two.
    """

    weight: Annotated[float, Field(gt=0), Search(0.1, 10.0, log=True)] = 2.0
    kind: Literal["a", "b"] = "a"
    quick: bool = False
    name: str = ""


def test_settings_are_described_in_the_order_of_their_fields():
    weight, share, kind, quick, name = settings_of(Config)
    assert (weight.name, weight.default, weight.allowed) == ("weight", 2.0, "number, above 0")
    assert weight.meaning == "of the term; it goes on in a second line."
    assert (weight.searched, share.searched, kind.searched) == ("0.1 to 10, by ratios", "0 to 0.5", "")
    assert share.allowed == "number, at least 0, below 1"
    assert (kind.allowed, quick.allowed, name.allowed) == ("a or b", "true or false", "text")
    assert (quick.meaning, kind.meaning) == ("", "which of two.")


def test_a_default_has_the_source_of_the_class_that_sets_it():
    weight, share, kind, *_ = settings_of(Config)
    assert weight.source == kind.source == "Keeps the weight of a later paper."
    assert share.source == "Takes all from a paper."


def test_json_has_the_ends_of_the_search():
    weight, _, kind, *_ = settings_of(Config)
    assert weight.as_json()["tuning"] == {"low": 0.1, "high": 10.0, "log": True}
    assert kind.as_json()["tuning"] is None


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 1, "from 0 to 1"), (0, inf, "0 or more"), (-inf, 0.5, "0.5 or less"), (-inf, inf, "any number")],
)
def test_bounds_in_words(low, high, words):
    assert bounds_in_words(low, high) == words


def test_what_nobody_wrote_is_empty():
    @dataclass
    class Bare:
        x: int = 1

    assert prose(Bare) == "" and described_attributes(Bare) == {}
    assert settings_of(NoSettings) == []
    (setting,) = settings_of(Bare)
    assert (setting.allowed, setting.meaning, setting.source) == ("whole number", "", "")


def test_the_settings_of_methods_are_whole_numbers_and_numbers():
    assert [one.allowed for one in settings_of(DescentConfig)] == [
        "whole number, at least 1",
        "number, above 0",
        "whole number, at least 0",
    ]
