"""Options that name several things: commas, repetition, all."""

from __future__ import annotations

import pytest

from mmulbench.cli.names import by_field, methods_of_run, one_task, seeds, several, with_all_methods
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.errors import UsageError
from mmulbench.sweeps.grid import Grid, Part

FIELDS = Part.model_fields


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, ()),
        (["a"], ("a",)),
        (["a,b", "c", "b"], ("a", "b", "c")),
        (["a, b"], ("a", "b")),
        ([""], ("",)),  # the name of nothing, which is then said to be unknown
    ],
)
def test_names_come_with_commas_or_repeated(given, names):
    assert several(given, "--method") == names


@pytest.mark.parametrize("given", ["a,", ",a", "a,,b", ","])
def test_a_comma_without_a_name_is_a_slip(given):
    with pytest.raises(UsageError, match="lacks a name beside a comma"):
        several([given], "--method")


def test_fields_have_values_with_commas_or_repeated():
    assert by_field(["seed=42,87", "task = emoji", "seed=21"], "--only", FIELDS) == {
        "seed": ["42", "87", "21"],
        "task": ["emoji"],
    }
    assert by_field(None, "--only", FIELDS) == {}
    for text in ("seed", "seed=", "=42", ""):
        with pytest.raises(UsageError, match="is no choice; write --only seed=42"):
            by_field([text], "--only", FIELDS)
    with pytest.raises(UsageError, match=r"^--only methd=npo: there is no such field; did you mean method"):
        by_field(["methd=npo"], "--only", FIELDS)


def test_seeds_are_whole_numbers():
    assert seeds(["42,87", "42", "-1"]) == (42, 87, -1)
    for text in ("one", "4.2", "1-5", "١", ""):
        with pytest.raises(UsageError, match="is no whole number"):
            seeds([text])


def test_a_command_for_one_task_names_the_one_for_several():
    assert one_task("emoji", "run") == "emoji"
    with pytest.raises(UsageError, match="mmulbench sweep takes several"):
        one_task("emoji,flags", "run")


def test_all_is_every_method_that_applies_but_the_noise_floor():
    found = methods_of_run(["all"], "emoji", ())
    task = TASKS.get("emoji")()
    expected = {name for name in METHODS.names() if METHODS.get(name).applies_to(task) is None}
    assert set(found) == expected - {"retrain_again"}
    assert {"mmul", "retrain", "original"} <= set(found)
    assert "gnndelete" not in found  # images have no graph
    assert methods_of_run(["retrain_again,all"], "emoji", ()) == ("retrain_again", *found)
    assert methods_of_run(["mmul,unsir"], "emoji", ()) == ("mmul", "unsir")


def test_a_sweep_takes_what_applies_to_one_of_its_tasks():
    grid = Grid(task=("emoji", "pgr"), method=("all",))
    assert "gnndelete" in with_all_methods(grid, ()).method
    named = Grid(task=("emoji",), method=("mmul",))
    assert with_all_methods(named, ()) is named
