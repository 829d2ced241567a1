"""The task flags: counts, clauses as texts, and splits that share no picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmulbench.progress import Progress
from mmulbench.tasks._pictures.factbook_flags import read_flags
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks.flags import Flags


def load(**config):
    return Flags(Flags.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def flags():
    return distinct_pictures(read_flags("the test"), Progress())[0]


def test_counts(data):
    splits = (data.train, data.validation, data.test)
    assert [len(split.units) for split in splits] == [155, 22, 44]
    assert [len(split) for split in splits] == [581, 83, 163]
    assert data.items["image"].images.shape == (221, 72, 72, 3)
    assert data.items["image"].images.dtype == np.uint8


def test_pairs_are_each_flags_own_clauses_once(data, flags):
    texts = data.items["text"].texts
    assert len(set(texts)) == len(texts)
    found = [[] for _ in flags]
    for split in (data.train, data.validation, data.test):
        for image, text in zip(split.first.tolist(), split.second.tolist(), strict=True):
            found[image].append(texts[text])
    for flag, own in zip(flags, found, strict=True):
        assert set(own) == {*flag.description, *flag.meaning} and len(own) == len(set(own))


def test_one_of_indonesia_and_monaco_is_left(flags):
    assert [flag.name for flag in flags if flag.name in {"Indonesia", "Monaco"}] == ["Indonesia"]


def test_a_split_shares_no_picture(data):
    seen = [
        {data.items["image"].images[unit].tobytes() for unit in split.units}
        for split in (data.train, data.validation, data.test)
    ]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 221


def test_limit_takes_flags_from_all_over(data):
    few = load(limit=60)
    assert [len(split.units) for split in (few.train, few.validation, few.test)] == [42, 6, 12]
    images = data.items["image"].images
    assert np.array_equal(few.items["image"].images[[0, -1]], images[[0, -1]])
