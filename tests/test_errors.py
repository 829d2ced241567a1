"""Exit codes of failures, and the names that are suggested for a wrong one."""

from __future__ import annotations

import pytest

from mmulbench.errors import Diverged, MmulbenchError, NotApplicable, OverBudget, UsageError, did_you_mean


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
