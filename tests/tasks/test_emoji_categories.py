"""Emoji are in a category only where nobody would argue."""

from __future__ import annotations

import pytest

from mmulbench.tasks._pictures.emoji_categories import (
    CATEGORIES,
    GROUPS,
    categorised_pictures,
)
from mmulbench.tasks._pictures.twemoji import unicode_emoji
from mmulbench.tasks.emoji_nlvr import MOST


@pytest.fixture(scope="module")
def known():
    return categorised_pictures("the test", MOST)


@pytest.fixture(scope="module")
def by_name(known):
    return {picture.name: picture for picture in known}


def test_what_some_pictures_are(by_name):
    assert "animal" in by_name["owl"] and "bird" in by_name["owl"] and "mammal" not in by_name["owl"]
    assert "food" in by_name["banana"] and "vegetable" not in by_name["banana"]
    assert "fruit" in by_name["pizza"].group.unsure and "food" in by_name["beer mug"].group.unsure
    assert not {"tomato", "dolphin", "unicorn", "spider web", "skull", "anchor"} & {*by_name}


def test_groups_are_well_formed(known):
    names = {one.name for one in unicode_emoji("the test")}
    subgroups = [subgroup for group in GROUPS for subgroup in group.subgroups]
    assert len(subgroups) == len(set(subgroups))
    for group in GROUPS:
        assert {*group.categories, *group.unsure} <= {*CATEGORIES} and not {*group.categories} & {
            *group.unsure
        }
        assert {*group.doubtful} <= names, "a name that does not exist excludes nothing"
        assert 8 <= sum(picture.group is group for picture in known) <= MOST
    assert not [picture.name for picture in known if "skin tone" in picture.name]
