"""The task emoji: counts, texts as labels, and splits that share no pixels."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

from mmulbench.core.data import Relations
from mmulbench.progress import Progress
from mmulbench.tasks._pictures.near_twins import TWINS, correlations, distinct_pictures
from mmulbench.tasks.emoji import SKIN_TONES, Emoji, _entries, clean_text


def load(**config):
    return Emoji(Emoji.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def entries():
    return distinct_pictures(_entries(), Progress())[0]


def texts_by_picture(data) -> dict[int, set[str]]:
    found = defaultdict(set)
    for split in (data.train, data.validation, data.test):
        for image, text in zip(split.first.tolist(), split.second.tolist(), strict=True):
            found[image].add(data.items["text"].texts[text])
    return found


def test_counts(data):
    assert (len(data.items["image"]), len(data.items["text"])) == (1598, 6598)
    splits = (data.train, data.validation, data.test)
    assert [len(split.units) for split in splits] == [1280, 159, 159]
    assert [len(split) for split in splits] == [11740, 1467, 1456]
    assert data.items["image"].images.shape == (1598, 72, 72, 3)
    assert data.items["image"].images.dtype == np.uint8


def test_every_picture_has_five_texts_or_more_and_no_skin_tone(data, entries):
    assert min(map(len, texts_by_picture(data).values())) >= 5
    assert len({entry.file for entry in entries}) == len(entries) == 1598
    tones = {f"{ord(tone):x}" for tone in SKIN_TONES}
    assert not [entry.file for entry in entries if tones & {*entry.file.stem.split("-")}]


def test_pairs_are_each_pictures_own_texts(data, entries):
    found = texts_by_picture(data)
    assert [found[i] for i in range(len(entries))] == [set(entry.texts) for entry in entries]
    grinning = next(i for i, entry in enumerate(entries) if entry.file.name == "1f600.png")
    assert "grinning face" in found[grinning]


def test_texts_are_plain_words(data):
    texts = data.items["text"].texts
    assert len(set(texts)) == len(texts)
    assert all(text == clean_text(text) for text in texts)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (":grinning_face:", "grinning face"),
        ("T-Rex  ", "t rex"),
        (" Two\twords ", "two words"),
        ("a", None),
        (":)", None),
        ("123", None),
        ("日本", None),
    ],
)
def test_clean_text(raw, clean):
    assert clean_text(raw) == clean


def test_a_split_is_80_10_10_percent_and_no_picture_has_a_near_twin(data):
    parts = [split.units for split in (data.train, data.validation, data.test)]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(1598))
    correlation = correlations(data.items["image"].images)
    assert correlation[~np.eye(1598, dtype=bool)].max() <= TWINS
    assert [round(len(part) / 1598, 2) for part in parts] == [0.8, 0.1, 0.1]


def test_a_text_on_both_sides_is_a_word_of_a_training_picture_itself(data, entries):
    trained = {text for image in data.train.units for text in entries[image].texts}
    texts = data.items["text"].texts
    in_training = {texts[text] for text in data.train.second}
    in_test = {texts[text] for text in data.test.second}
    assert in_training == trained
    only_test = {text for image in data.test.units for text in entries[image].texts} - trained
    assert only_test and not only_test & in_training
    assert in_test & in_training == in_test - only_test


def test_relevance_is_many_to_many(data, entries):
    relations = Relations(data.train, data.validation, data.test)
    pictures = defaultdict(list)
    for i, entry in enumerate(entries):
        for text in entry.texts:
            pictures[text].append(i)
    shared, owners = max(pictures.items(), key=lambda item: len(item[1]))
    assert len(owners) > 20
    index = torch.tensor([data.items["text"].texts.index(shared)])
    marked = relations.matrix(torch.arange(1598), index)[:, 0]
    assert marked.nonzero()[:, 0].tolist() == owners


def test_forget_sets_take_a_picture_with_all_its_texts(data):
    units = Emoji().forget_units(data, 68, 42)
    forget, retain = data.train.only(units), data.train.without(units)
    assert len(forget) + len(retain) == len(data.train)
    assert not set(forget.first) & set(retain.first)
    assert {*forget.units.tolist()} == {*units.tolist()}


def test_limit_takes_pictures_from_all_over(data):
    few = load(limit=60)
    assert len(few.items["image"]) == 59
    assert [len(split.units) for split in (few.train, few.validation, few.test)] == [49, 5, 5]
    assert few.fingerprint != data.fingerprint
    images = data.items["image"].images
    assert np.array_equal(few.items["image"].images[[0, -1]], images[[0, -1]])
    assert load(limit=5000).fingerprint == data.fingerprint
