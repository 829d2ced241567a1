"""The task emoji_nlvr: statements are right, balanced, and about pictures of one split."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from mmulbench.progress import Progress
from mmulbench.tasks._pictures.emoji_categories import (
    CATEGORIES,
    CategorisedPicture,
    categorised_pictures,
)
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks.emoji_nlvr import EACH, MOST, EmojiNlvr

COUNTS = [1091, 145, 300]
"""Pairs of pictures in train, validation and test."""


def load(**config):
    return EmojiNlvr(EmojiNlvr.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def known():
    return distinct_pictures(categorised_pictures("the test", MOST), Progress())[0]


def splits(data):
    return (data.train, data.validation, data.test)


def test_counts(data):
    assert [len(split.units) for split in splits(data)] == COUNTS
    assert [len(split) for split in splits(data)] == [2 * EACH * count for count in COUNTS]
    assert data.items["image"].images.shape == (522, 72, 72, 3)
    assert data.items["image"].groups.shape == (sum(COUNTS), 2) and len(data.items["image"]) == sum(COUNTS)


def test_every_pair_has_as_many_true_as_false_statements(data):
    for split in splits(data):
        of_unit = defaultdict(list)
        for unit, label in zip(split.first.tolist(), split.label.tolist(), strict=True):
            of_unit[unit].append(label)
        assert all(sorted(labels) == [0] * EACH + [1] * EACH for labels in of_unit.values())


def test_the_words_of_a_statement_do_not_tell_its_truth(data):
    for split in splits(data):
        tally = Counter()
        for text, label in zip(split.second.tolist(), split.label.tolist(), strict=True):
            tally[text] += 1 if label else -1
        assert sum(map(abs, tally.values())) < 0.3 * len(split)
    majority = defaultdict(int)
    for text, label in zip(data.train.second.tolist(), data.train.label.tolist(), strict=True):
        majority[text] += 1 if label else -1
    guessed = [majority[text] > 0 for text in data.test.second.tolist()]
    assert 0.45 < np.mean(np.array(guessed) == data.test.label) < 0.58


def test_splits_share_no_picture(data):
    images, groups = data.items["image"].images, data.items["image"].groups
    seen = [{images[part].tobytes() for part in np.unique(groups[split.units])} for split in splits(data)]
    assert all(seen) and sum(map(len, seen)) == len(set.union(*seen))


def test_pairs_are_of_two_pictures_and_differ(data):
    groups = data.items["image"].groups
    assert (groups[:, 0] != groups[:, 1]).all()
    assert len({*map(tuple, groups.tolist())}) == len(groups)
    assert np.array_equal(np.concatenate([split.units for split in splits(data)]), np.arange(len(groups)))


def truth_of(text: str, left: CategorisedPicture, right: CategorisedPicture) -> bool:
    """Read a statement again, word by word."""
    named = {words: kind for kind, words in CATEGORIES.items()}
    if " is left of " in text:
        one, other = (named[words] for words in text.split(" is left of "))
        return one in left and other in right
    start, words = text.split(" shows " if " shows " in text else " show ")
    count = (named[words] in left) + (named[words] in right)
    return {
        "both pictures": count == 2,
        "neither picture": count == 0,
        "exactly one picture": count == 1,
        "the left picture": named[words] in left,
        "the right picture": named[words] in right,
    }[start]


def test_labels_are_right(data, known):
    texts, groups = data.items["text"].texts, data.items["image"].groups
    for split in splits(data):
        for unit, text, label in zip(split.first, split.second, split.label, strict=True):
            left, right = (known[part] for part in groups[unit])
            assert truth_of(texts[text], left, right) == bool(label), (left.name, right.name, texts[text])


def test_nothing_is_said_of_kinds_one_may_argue_about(data, known):
    texts, groups = data.items["text"].texts, data.items["image"].groups
    for split in splits(data):
        for unit, text in zip(split.first, split.second, strict=True):
            unsure = {kind for part in groups[unit] for kind in known[part].group.unsure}
            words = texts[text].replace(" is left of ", " show ").split(" show ")
            assert not {CATEGORIES[kind] for kind in unsure} & {word.split(" shows ")[-1] for word in words}
