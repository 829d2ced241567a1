"""Pairs of a table: what is left out is counted, classes are those that can be learnt."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.tasks._tables import table_data
from mmulbench.tasks._tables.arrangement import Rows
from mmulbench.tasks._tables.table_data import Pairs, images_of, pairs_of

SPLITS = ["train", "train", "train", "validation", "test"]


def pairs(pictures: str, texts: str, labels: str | None = None, splits=SPLITS, limit: int = 0) -> Pairs:
    """A row for each sign; a space is an empty cell."""
    names = list(dict.fromkeys(pictures))
    rows = Rows(
        written=list(pictures),
        items=np.array([names.index(sign) for sign in pictures]),
        names=[(name,) for name in names],
        units=[""] * len(pictures),
        splits=[],
        where=lambda row: f"t.csv:{row + 2}",
    )
    cells = None if labels is None else [label.strip() for label in labels]
    return pairs_of(rows, list(texts), cells, splits, limit)


def test_training_pairs_know_their_rows():
    found = pairs("baacd", "xyzxy")
    train = found.annotations.splits["train"]
    names = [
        (found.annotations.units[unit][0], found.annotations.texts[text])
        for unit, text in zip(train.first.tolist(), train.second.tolist(), strict=True)
    ]
    assert names == [("a", "y"), ("a", "z"), ("b", "x")] and found.rows.tolist() == [1, 2, 0]
    assert [found.annotations.units[unit] for unit in range(4)] == [("a",), ("b",), ("c",), ("d",)]
    assert found.items.tolist() == [1, 0, 2, 3]


def test_what_is_left_out_is_counted():
    found = pairs("abbcd", "x yxy", splits=SPLITS)
    assert found.annotations.dropped == {"empty text": 1} and found.rows.tolist() == [0, 2]


def test_repetitions_count_once():
    found = pairs("aabcd", "xxyxy", "01110", splits=SPLITS)
    assert found.annotations.dropped == {"repeated with another label; the first counts": 1}
    assert found.annotations.splits["train"].label.tolist() == [0, 1]


def test_rows_without_a_label_are_left_out():
    found = pairs("abecd", "xyzxy", "01 01", splits=["train", "train", "validation", "validation", "test"])
    assert found.annotations.dropped == {"no label": 1} and found.classes == ("0", "1")


def test_classes_have_the_order_of_numbers_or_of_the_alphabet():
    assert pairs("abecd", "xyzxy", "ba ab").classes == ("a", "b")
    rows = Rows(list("abcd"), np.arange(4), [(sign,) for sign in "abcd"], [""] * 4, [], str)
    splits = ["train", "train", "validation", "test"]
    assert pairs_of(rows, list("xyzx"), ["10", "9", "9", "10"], splits, 0).classes == ("9", "10")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("00000", "the table has one label alone, '0': it takes two classes"),
        ("     ", "the table has no labels"),
        ("00001", r"t\.csv:6: the label '1' is in the split test, but not in train"),
        ("00010", r"t\.csv:5: the label '1' is in the split validation, but not in train"),
    ],
)
def test_classes_have_to_be_learnt(labels, message):
    with pytest.raises(MmulbenchError, match=message):
        pairs("abecd", "xyzxy", labels, splits=SPLITS)


def test_a_column_that_is_no_column_of_classes_is_refused(monkeypatch):
    monkeypatch.setattr(table_data, "MOST_CLASSES", 3)
    with pytest.raises(MmulbenchError, match="4 different labels, such as '0': more than 3 are no classes"):
        pairs("abecd", "xyzxy", "01233")


def test_a_split_without_pairs_is_refused():
    with pytest.raises(MmulbenchError, match="no pairs of the split test"):
        pairs("abecd", "xyzx ")


def test_a_limit_keeps_so_many_of_each_split():
    found = pairs("abcdefghij", "x" * 10, splits=["train"] * 4 + ["validation"] * 3 + ["test"] * 3, limit=2)
    assert [len(split) for split in found.annotations.splits.values()] == [2, 2, 2]
    assert found.rows.tolist() == [0, 3] and found.items.tolist() == [0, 3, 4, 6, 7, 9]


def test_pictures_of_items_of_two_are_numbered():
    rows = Rows(["ab", "ba", "bc"], np.arange(3), [("a", "b"), ("b", "a"), ("b", "c")], [""] * 3, [], str)
    found = pairs_of(rows, list("xyz"), None, ["train", "validation", "test"], 0)
    names, groups = images_of(found.annotations)
    assert names == ["a", "b", "c"] and groups.tolist() == [[0, 1], [1, 0], [1, 2]]
    assert images_of(pairs("abecd", "xyzxy").annotations) == (["a", "b", "c", "d", "e"], None)
