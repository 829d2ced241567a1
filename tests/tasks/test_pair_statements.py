"""Statements about two pictures are true or false beyond doubt."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from mmulbench.tasks._pictures.emoji_categories import (
    GROUPS,
    CategorisedPicture,
    categorised_pictures,
)
from mmulbench.tasks._pictures.pair_statements import candidate_statements
from mmulbench.tasks.emoji_nlvr import EACH, MOST


@pytest.fixture(scope="module")
def known():
    return categorised_pictures("the test", MOST)


@pytest.fixture(scope="module")
def by_name(known):
    return {picture.name: picture for picture in known}


def test_statements_of_one_pair(by_name):
    found = dict(candidate_statements(by_name["owl"], by_name["pizza"]))
    assert found["both pictures show an animal"] is False
    assert found["exactly one picture shows an animal"] is True
    assert found["neither picture shows a mammal"] is True
    assert found["the left picture shows a bird"] is True
    assert found["the right picture shows a bird"] is False
    assert found["a bird is left of food"] is True
    assert found["food is left of a bird"] is False
    assert "neither picture shows a fruit" not in found, "is a pizza with tomatoes a fruit?"
    assert "both pictures show a flag" not in found, "too easy: neither picture is one"


def test_every_pair_of_groups_has_enough_statements():
    for one, other in product(GROUPS, GROUPS):
        pair = (CategorisedPicture(Path("a"), "a", one), CategorisedPicture(Path("b"), "b", other))
        truths = Counter(truth for _, truth in candidate_statements(*pair))
        assert min(truths[True], truths[False]) >= EACH, (one.categories, other.categories)
