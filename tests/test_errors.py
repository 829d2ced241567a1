"""Exit codes of failures, errors as one line of text, and the names that are suggested for a wrong one."""

from __future__ import annotations

import pytest

from mmulbench.errors import (
    LONGEST_TEXT,
    Diverged,
    MmulbenchError,
    NotApplicable,
    OverBudget,
    UsageError,
    described,
    did_you_mean,
    near_names,
    text_of,
    traceback_of,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(MmulbenchError, 1), (UsageError, 2), (Diverged, 1), (OverBudget, 1), (NotApplicable, 1)],
)
def test_only_wrong_use_has_exit_code_2(kind, code):
    assert kind.exit_code == code and issubclass(kind, MmulbenchError)


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("scrubb", ["scrub", "npo"], "; did you mean scrub?"),
        ("emojis", ["emoji", "emoji_nlvr"], "; did you mean emoji or emoji_nlvr?"),
        ("xyz", ["scrub", "npo"], "; known: npo, scrub"),
        ("xyz", [], "; none are known"),
    ],
)
def test_near_names_are_suggested_and_otherwise_all(name, known, expected):
    assert did_you_mean(name, known) == expected


def test_an_error_of_several_lines_becomes_one_of_bearable_length():
    assert text_of(ValueError("no\n such  thing")) == "no such thing"
    assert len(text_of(ValueError("x" * 1000))) == LONGEST_TEXT


def test_a_silent_error_is_named_by_its_type():
    assert text_of(MemoryError()) == "MemoryError"
    assert described(MemoryError()) == "MemoryError:"


def test_an_error_is_described_with_its_type():
    assert described(ValueError("no\nsuch thing")) == "ValueError: no such thing"


def test_a_traceback_has_those_of_the_causes():
    def fail():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise MmulbenchError("second") from error

    with pytest.raises(MmulbenchError) as caught:
        fail()
    text = traceback_of(caught.value)
    assert text.count("Traceback (most recent call last):") == 2
    assert text.index("KeyError: 'first'") < text.index("MmulbenchError: second") and "in fail" in text


def test_near_names_are_silent_where_none_is_near():
    assert near_names("metod", ["method", "task"]) == "; did you mean method?"
    assert near_names("zzz", ["method", "task"]) == near_names("x", []) == ""
