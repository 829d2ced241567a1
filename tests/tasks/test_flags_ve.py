from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from mmulbench.progress import Progress
from mmulbench.tasks._pictures.factbook_flags import Flag, read_flags
from mmulbench.tasks._pictures.flag_facts import (
    COLOURS,
    SYMBOLS,
    Facts,
    certain_facts,
    colour_shares,
    hypotheses,
    meanings,
)
from mmulbench.tasks.flags_ve import CONTRADICTION, EACH, ENTAILMENT, NEUTRAL, FlagsVe

RED, WHITE, BLUE = (221, 46, 68), (255, 255, 255), (38, 102, 204)


def load(**config):
    return FlagsVe(FlagsVe.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def flags():
    return read_flags("the test")


def splits(data):
    return (data.train, data.validation, data.test)


def flag(*description: str, meaning: tuple[str, ...] = ()) -> Flag:
    return Flag("Nowhere", Path("nowhere.png"), description, meaning)


def painted(*colours: tuple[int, int, int]) -> np.ndarray:
    """Horizontal bands of equal height on a white ground, as Twemoji draws flags."""
    image = np.full((72, 72, 3), 255, dtype=np.uint8)
    for band, rows in enumerate(np.array_split(np.arange(10, 62), len(colours))):
        image[rows] = colours[band]
    return image


def test_counts(data):
    assert FlagsVe.classes == ("entailment", "neutral", "contradiction")
    assert [len(split.units) for split in splits(data)] == [164, 23, 46]
    counts = [np.bincount(split.label).tolist() for split in splits(data)]
    assert counts == [[949, 480, 949], [129, 65, 129], [259, 132, 259]]
    assert data.items["image"].images.shape == (233, 72, 72, 3)


def test_every_flag_has_as_many_entailed_as_contradicted_hypotheses(data):
    for split in splits(data):
        of_flag = defaultdict(list)
        for unit, label in zip(split.first.tolist(), split.label.tolist(), strict=True):
            of_flag[unit].append(label)
        for labels in of_flag.values():
            counts = Counter(labels)
            assert 1 <= counts[ENTAILMENT] == counts[CONTRADICTION] <= EACH
            assert counts[NEUTRAL] == (counts[ENTAILMENT] + 1) // 2


def test_words_tell_neutral_from_the_rest_and_nothing_else(data):
    """The ceiling of a model that does not look at the picture, as the docstring says: three fifths."""
    texts = data.items["text"].texts
    majority = defaultdict(Counter)
    for text, label in zip(data.train.second.tolist(), data.train.label.tolist(), strict=True):
        majority[texts[text]][label] += 1
    for split in splits(data):
        right = 0
        for text, label in zip(split.second.tolist(), split.label.tolist(), strict=True):
            words = texts[text]
            assert (" stands for " in words) == (label == NEUTRAL)
            votes = Counter({NEUTRAL: 1}) if " stands for " in words else majority[words]
            right += bool(votes) and votes.most_common(1)[0][0] == label
        assert 0.55 < right / len(split) < 0.66


def test_splits_share_no_picture(data):
    images = data.items["image"].images
    seen = [{images[unit].tobytes() for unit in split.units} for split in splits(data)]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 233


def test_neutral_words_of_test_are_of_test_flags(data, flags):
    texts = data.items["text"].texts
    for split in splits(data):
        reasons = {*meanings(flags[unit] for unit in split.units)}
        for text, label in zip(split.second.tolist(), split.label.tolist(), strict=True):
            if label == NEUTRAL:
                assert texts[text].split(" stands for ")[1] in reasons


def holds(text: str, facts: Facts) -> bool | None:
    """Read a hypothesis again, word by word; None where it is not settled."""
    words = text.split()
    if text.startswith("there is"):
        parts = [(words[-4], "no" not in words)]
    elif text.startswith("the flag has"):
        parts = [(words[3], True), (words[-1], True)]
    else:
        name = text.removeprefix("the flag shows ").removeprefix("no ")
        symbol = next(symbol for symbol in SYMBOLS if symbol.removeprefix("a ") == name.removeprefix("a "))
        if symbol not in facts.has | facts.lacks:
            return None
        return (symbol in facts.has) != ("no" in words)
    if not {colour for colour, _ in parts} <= facts.shown | facts.absent:
        return None
    return all((colour in facts.shown) == wanted for colour, wanted in parts)


def test_labels_are_right(data, flags):
    images, texts = data.items["image"].images, data.items["text"].texts
    for split in splits(data):
        for unit in split.units:
            facts = certain_facts(flags[unit], images[unit])
            for text, label in zip(
                split.second[split.first == unit], split.label[split.first == unit], strict=True
            ):
                if label == NEUTRAL:
                    assert texts[text].split()[1] in facts.shown
                else:
                    assert holds(texts[text], facts) is bool(label == ENTAILMENT), (
                        flags[unit].name,
                        texts[text],
                    )


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


def test_facts_of_known_flags(data, flags):
    images = data.items["image"].images
    facts = {one.name: certain_facts(one, image) for one, image in zip(flags, images, strict=True)}
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
