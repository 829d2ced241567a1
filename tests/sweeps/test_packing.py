from __future__ import annotations

import pytest

from mmulbench.sweeps.packing import checked_pack, packed

STEPS = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize(
    ("pack", "seconds", "expected"),
    [
        ("1", {}, ["a", "b", "c", "d", "e"]),
        ("2", {"a": 1e9}, ["ab", "cd", "e"]),
        ("9", {}, ["abcde"]),
        ("1m", dict.fromkeys(STEPS, 20.0), ["abc", "de"]),
        ("2m", {"a": 100.0, "b": 30.0, "c": 90.0, "d": 20.0, "e": 10.0}, ["a", "bc", "de"]),
        ("1m", {"a": 500.0, "b": 10.0, "c": 10.0, "e": 10.0}, ["a", "bc", "d", "e"]),  # nothing is known of d
        ("60m", {}, ["a", "b", "c", "d", "e"]),
    ],
)
def test_tasks_hold_so_many_runs_or_so_much_time(pack, seconds, expected):
    assert packed(STEPS, pack, seconds) == [tuple(task) for task in expected]


def test_nothing_to_pack():
    assert packed((), "3", {}) == packed((), "3m", {}) == []


@pytest.mark.parametrize("text", ["0", "-1", "", "m", "0m", "1.5", "10 m", "10s", "10m\n"])
def test_what_says_neither_is_refused(text):
    with pytest.raises(ValueError, match=r"neither a number of runs .* nor one of minutes"):
        checked_pack(text)
