from __future__ import annotations

import pytest

from mmulbench.sweeps.packing import checked_pack, pack_of_models, packed

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


@pytest.mark.parametrize(
    ("pack", "models", "tasks_of_runs", "expected"),
    [
        ("1", 300, 300, "1"),
        ("10", 300, 30, "10"),
        ("10", 2, 4, "1"),  # two originals of 24 runs: side by side
        ("10", 17, 5, "3"),
        ("2", 300, 1, "2"),
        ("10", 5, 0, "1"),
        ("30m", 300, 1, "30m"),
    ],
)
def test_models_are_packed_into_no_fewer_tasks_than_runs(pack, models, tasks_of_runs, expected):
    assert pack_of_models(pack, models, tasks_of_runs) == expected


@pytest.mark.parametrize("text", ["0", "-1", "", "m", "0m", "1.5", "10 m", "10s", "10m\n"])
def test_what_says_neither_is_refused(text):
    with pytest.raises(ValueError, match=r"neither a number of runs .* nor one of minutes"):
        checked_pack(text)
