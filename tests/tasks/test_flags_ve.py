"""The task flags_ve: labels are right, and words tell no more than they should."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from mmulbench.progress import Progress
from mmulbench.tasks._pictures.factbook_flags import read_flags
from mmulbench.tasks._pictures.flag_facts import (
    SYMBOLS,
    Facts,
    certain_facts,
    meanings,
)
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks.flags_ve import CONTRADICTION, EACH, ENTAILMENT, NEUTRAL, FlagsVe


def load(**config):
    return FlagsVe(FlagsVe.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def flags():
    return distinct_pictures(read_flags("the test"), Progress())[0]


def splits(data):
    return (data.train, data.validation, data.test)


def test_counts(data):
    assert FlagsVe.classes == ("entailment", "neutral", "contradiction")
    assert [len(split.units) for split in splits(data)] == [155, 22, 44]
    counts = [np.bincount(split.label).tolist() for split in splits(data)]
    assert counts == [[899, 454, 899], [122, 62, 122], [247, 126, 247]]
    assert data.items["image"].images.shape == (221, 72, 72, 3)


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
    assert sum(map(len, seen)) == len(set.union(*seen)) == 221


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
