"""Pictures, units and splits of rows: what belongs together stays together."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.tasks._tables.arrangement import Rows, Shares, counted, owners_of, splits_of, torn


def rows(written: str, items=None, units=None, splits=()) -> Rows:
    """A row for each sign of a text, which is its picture's name."""
    names = list(dict.fromkeys(written))
    places = [names.index(sign) for sign in written] if items is None else items
    total = max(places) + 1
    return Rows(
        written=[f"{sign}.png" for sign in written],
        items=np.array(places),
        names=[(f"{number}.png",) for number in range(total)],
        units=units or [""] * len(written),
        splits=list(splits),
        where=lambda row: f"t.csv:{row + 2}",
    )


def test_each_picture_is_a_unit_where_none_is_named():
    assert owners_of(rows("abba")).tolist() == [0, 1]


def test_a_unit_has_several_pictures_and_those_without_one_stay_alone():
    assert owners_of(rows("abcd", units=["p", "q", "p", ""])).tolist() == [0, 1, 0, 2]


def test_units_that_share_a_picture_under_two_names_are_one():
    shared = rows("abcd", items=[0, 1, 0, 2], units=["p", "p", "q", "q"])
    assert owners_of(shared).tolist() == [0, 0, 0]


def test_a_name_in_two_units_is_refused():
    with pytest.raises(MmulbenchError) as caught:
        owners_of(rows("aba", units=["p", "p", "q"]))
    assert str(caught.value) == "t.csv:4: a.png is of the unit 'q', but of 'p' at t.csv:2: it can be of one"


def test_numbers_are_given_by_first_appearance():
    assert counted(np.array([7, 3, 7, 9])).tolist() == [0, 1, 0, 2]


def test_splits_have_many_names():
    named = rows("abcde", splits=["Train", "val", "dev ", "TEST", "training"])
    assert splits_of(named) == ["train", "validation", "validation", "test", "train"]
    assert splits_of(rows("ab")) == []


def test_an_unknown_split_is_named_with_its_row():
    with pytest.raises(MmulbenchError, match=r"^t\.csv:3: unknown split 'tset'; did you mean test"):
        splits_of(rows("ab", splits=["train", "tset"]))


def test_what_is_in_two_splits_is_said_in_a_line_each():
    named = rows("abcdab", items=[0, 1, 0, 2, 0, 1], units=["", "p", "", "p", "", "p"])
    keep = "keep it in one split"
    assert torn(named, owners_of(named), ["train", "train", "test", "test", "train", "test"]) == [
        f"t.csv:4: c.png, in the split test, is the same picture as a.png, in train at t.csv:2: {keep}",
        f"t.csv:5: d.png of the unit 'p' is in the split test, but b.png is in train at t.csv:3: {keep}",
    ]
    again = rows("aa")
    assert torn(again, owners_of(again), ["train", "test"]) == [
        "t.csv:3: a.png is in the split test, but in train at t.csv:2: keep it in one split"
    ]
    assert torn(again, owners_of(again), ["test", "test"]) == []


SHARES = Shares(validation=0.2, test=0.3, seed=0)


def test_splits_are_drawn_by_unit():
    units = [f"p{number % 10}" for number in range(20)]
    many = rows("abcdefghijklmnopqrst", units=units)
    found = SHARES.drawn(many, owners_of(many))
    assert {split: found.count(split) for split in set(found)} == {"train": 10, "validation": 4, "test": 6}
    assert found[:10] == found[10:]


def test_the_draw_depends_on_names_and_seed_but_not_on_the_order_of_rows():
    signs = "abcdefghij"
    found = dict(zip(signs, SHARES.drawn(rows(signs), np.arange(10)), strict=True))
    turned = Rows(
        [f"{sign}.png" for sign in reversed(signs)],
        np.arange(10),
        [(f"{number}.png",) for number in range(9, -1, -1)],
        [""] * 10,
        [],
        str,
    )
    again = dict(zip(reversed(signs), SHARES.drawn(turned, np.arange(10)), strict=True))
    assert again == found
    other = Shares(0.2, 0.3, seed=1).drawn(rows(signs), np.arange(10))
    assert other != list(found.values())


def test_validation_alone_is_drawn_from_training():
    signs = "abcdefghij"
    given = ["train"] * 6 + ["test"] * 4
    found = SHARES.drawn(rows(signs), np.arange(10), given)
    assert found[6:] == ["test"] * 4 and sorted(found[:6]) == ["train"] * 5 + ["validation"]


def test_too_few_units_are_refused():
    with pytest.raises(MmulbenchError, match="3 units are too few to draw validation and test from"):
        SHARES.drawn(rows("abc"), np.arange(3))
    assert sorted(SHARES.drawn(rows("abcd"), np.arange(4))) == ["test", "train", "train", "validation"]
