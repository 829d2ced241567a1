"""Facts about a flag are stated only where they are certain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmulbench.tasks._pictures.factbook_flags import Flag, read_flags
from mmulbench.tasks._pictures.flag_facts import (
    COLOURS,
    Facts,
    certain_facts,
    colour_shares,
    hypotheses,
    meanings,
)
from mmulbench.tasks._pictures.twemoji import read_picture

RED, WHITE, BLUE = (221, 46, 68), (255, 255, 255), (38, 102, 204)


def flag(*description: str, meaning: tuple[str, ...] = ()) -> Flag:
    return Flag("Nowhere", Path("nowhere.png"), description, meaning)


def painted(*colours: tuple[int, int, int]) -> np.ndarray:
    """Horizontal bands of equal height on a white ground, as Twemoji draws flags."""
    image = np.full((72, 72, 3), 255, dtype=np.uint8)
    for band, rows in enumerate(np.array_split(np.arange(10, 62), len(colours))):
        image[rows] = colours[band]
    return image


def test_a_colour_is_certain_where_caption_and_pixels_agree():
    facts = certain_facts(flag("two equal horizontal bands of red (top) and white"), painted(RED, WHITE))
    assert facts.shown == {"red", "white"} and facts.absent == {"blue", "yellow", "green", "black"}
    named_only = certain_facts(flag("two bands of red, and gold edges"), painted(RED, WHITE))
    assert "yellow" not in named_only.shown | named_only.absent
    shown_only = certain_facts(flag("red with the national arms"), painted(RED, BLUE))
    assert "blue" not in shown_only.shown | shown_only.absent


def test_little_of_a_colour_is_neither_shown_nor_absent():
    image = painted(RED, WHITE)
    image[30, 20:60] = BLUE  # 0.8 % of the picture
    facts = certain_facts(flag("red and white"), image)
    assert "blue" not in facts.shown | facts.absent
    image[30:33, 20:60] = BLUE
    assert "blue" in certain_facts(flag("red, white and navy"), image).shown


def test_white_is_that_of_the_flag_not_of_the_ground():
    assert colour_shares(painted(RED))["white"] == (0.0, 0.0)
    assert colour_shares(painted(RED, WHITE))["white"].certain > 0.2


def test_symbols_are_certain_only_where_every_word_is_understood():
    understood = certain_facts(flag("red with a white five-pointed star in the center"), painted(RED))
    assert understood.has == {"a star"} and {"a crescent", "a cross", "vertical bands"} <= understood.lacks
    for emblem in ("the coat of arms", "a dragon", "the UK flag", "a pentacle"):
        facts = certain_facts(flag("red", f"{emblem} is in the center"), painted(RED))
        assert not facts.has and not facts.lacks, emblem


@pytest.mark.parametrize(
    ("caption", "symbol"),
    [
        ("divided diagonally from the lower left corner by a white band", "a triangle"),
        ("a vertical white band and a horizontal red band", "a cross"),
        ("a circle in the center", "a disk"),
        ("a vertical red band on the left side", "vertical bands"),
        ("a white moon", "a crescent"),
    ],
)
def test_captions_that_leave_a_symbol_open(caption, symbol):
    facts = certain_facts(flag(caption), painted(RED))
    assert symbol not in facts.has | facts.lacks and facts.lacks


def test_facts_of_known_flags():
    flags = read_flags("the test")
    facts = {one.name: certain_facts(one, read_picture(one.file)) for one in flags}
    assert facts["Italy"].shown == {"green", "white", "red"} and "vertical bands" in facts["Italy"].has
    assert facts["Sweden"].shown == {"blue", "yellow"} and "a cross" in facts["Sweden"].has
    assert {"a star", "a crescent"} <= facts["Türkiye"].has and "a cross" in facts["Türkiye"].lacks
    # The Union Jack in its corner holds red that the caption does not name.
    assert "red" not in facts["Australia"].shown | facts["Australia"].absent
    assert not facts["Portugal"].lacks
    for one in facts.values():
        assert not one.shown & one.absent and not one.has & one.lacks and one.shown


def test_hypotheses_and_their_opposites_differ_in_truth():
    facts = Facts(frozenset({"red"}), frozenset({"blue"}), frozenset({"a star"}), frozenset({"a cross"}))
    assert dict(hypotheses(facts)) == {
        "there is red in the flag": True,
        "there is no red in the flag": False,
        "there is blue in the flag": False,
        "there is no blue in the flag": True,
        "the flag has blue and red": False,
        "the flag shows a star": True,
        "the flag shows no star": False,
        "the flag shows a cross": False,
        "the flag shows no cross": True,
    }


def test_meanings_are_read_from_captions():
    found = meanings(
        [flag("red", meaning=("red stands for courage and white for the purity", "the star is a star"))]
    )
    assert found == ["courage", "purity"]
    assert {*COLOURS} == {"red", "blue", "yellow", "green", "white", "black"}
