"""The columns of a table are found by the names that the user gives, or that others' tables have."""

from __future__ import annotations

import pytest

from mmulbench.errors import UsageError
from mmulbench.tasks._tables.columns import GUESSES, find_columns

ROLES = {"image": "", "text": "", "label": "", "unit": "", "split": ""}
OPTIONAL = frozenset({"label", "unit", "split"})


def found(*there: str, optional=OPTIONAL, nested=(), **named: str) -> dict[str, str]:
    return find_columns("a.csv", there, dict(nested), {**ROLES, **named}, optional)


@pytest.mark.parametrize(
    ("image", "text"), [("image", "caption"), ("File Name", "SENTENCE"), ("image-path", "text")]
)
def test_likely_names_are_found(image, text):
    assert found("id", text, image) == {"image": image, "text": text}


def test_the_likeliest_of_several_is_taken():
    assert found("path", "image", "title", "caption", "Split") == {
        "image": "image",
        "text": "caption",
        "split": "Split",
    }


def test_a_named_column_is_taken_and_guessed_for_nothing_else():
    assert found("path", "caption", "title", text="title")["text"] == "title"
    assert found("path", "file", "caption", text="path")["image"] == "file"


def test_a_unit_is_never_guessed():
    assert "unit" not in found("image", "text", "unit", "person")
    assert found("image", "text", "person", unit="person")["unit"] == "person"
    assert "unit" not in GUESSES


def test_a_guess_can_be_refused():
    assert found("image", "text", "set") == {"image": "image", "text": "text", "split": "set"}
    assert found("image", "text", "set", split="-") == {"image": "image", "text": "text"}
    with pytest.raises(UsageError, match=r"--set task\.text=-: .* has no such column"):
        found("image", "text", text="-")


def test_a_wrong_name_is_answered_with_the_near_ones_and_the_list():
    with pytest.raises(UsageError) as caught:
        found("image", "text", "person", unit="persn")
    assert str(caught.value) == (
        "--set task.unit=persn: a.csv has no such column; did you mean person?; its columns are: "
        "image, text, person"
    )
    with pytest.raises(UsageError, match="has no such column; its columns are: image, text"):
        found("image", "text", unit="zzzz")


def test_what_is_needed_and_not_found_has_to_be_named():
    with pytest.raises(UsageError, match=r"a\.csv: no column .* the text: .* --set task\.text=COLUMN, or "):
        found("image", "wording")
    with pytest.raises(UsageError, match=r"the label: .* --set task\.label=COLUMN"):
        found("image", "text", optional=frozenset())


def test_columns_without_single_values_are_refused():
    with pytest.raises(UsageError, match=r"'image' holds pictures, not names .* task\.table=FOLDER"):
        found("image", "text", nested={"image": "pictures"})
    with pytest.raises(UsageError, match="'text' holds lists: a row needs one value there"):
        found("image", "text", nested={"text": "lists"})
