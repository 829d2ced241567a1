"""What is printed of a plan and of how far a sweep is."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from sweep_toys import make_sweep, state

from mmulbench.sweeps.plan import Estimate
from mmulbench.sweeps.status import BegunStep, SweepStatus
from mmulbench.sweeps.status_output import (
    LISTED,
    counts_table,
    live_counts,
    print_plan,
    print_status,
)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Estimate(0.0, 3), "no earlier records to estimate the time from"),
        (Estimate(7200.0, 0), "about 2 h 00 min on one worker"),
        (Estimate(60.0, 1), "about 1 min on one worker, without 1 step of which nothing is known"),
    ],
)
def test_a_plan_ends_with_how_long_it_takes(expected, words, tmp_path, capsys):
    _, plan = make_sweep(tmp_path, "works", "raises")
    print_plan(plan, expected, as_json=False)
    *steps, last = capsys.readouterr().out.splitlines()
    assert last == f"1 original, 2 runs; {words}"
    assert steps[1] == f"{plan.steps[1].step_id}  run             works on emoji, seed 1"
    print_plan(plan, expected, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert [step["id"] for step in said["steps"]] == [step.step_id for step in plan.steps]
    assert said["estimate"] == {"seconds": expected.seconds, "unknown": expected.unknown}


def test_a_table_has_the_counts_and_what_runs(tmp_path):
    _, plan = make_sweep(tmp_path, "works")
    running = [BegunStep(plan.steps[1], state(worker="[node]:1"))]
    console = Console(width=80, record=True, file=(tmp_path / "shown").open("w"))
    console.print(counts_table(SweepStatus({"queued": 2, "not_applicable": 1}, [], running, 120.0, True)))
    shown = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert shown == [
        "queued 2",
        "not applicable 1",
        "time left about 2 min",
        "works on emoji, seed 1 ([node]:1)",
    ]


def test_of_many_steps_in_trouble_some_are_named(tmp_path, capsys):
    folder, plan = make_sweep(tmp_path, "works")
    trouble = [BegunStep(plan.steps[1], state("lost", reason="x"))] * (LISTED + 2)
    status = SweepStatus({"lost": LISTED + 2, "cancelled": 1}, trouble, [], None, False, ["Slurm [says]"])
    print_status(folder, status, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert sum(" lost: works on emoji" in line for line in lines) == LISTED
    assert lines[-5:] == [
        "Slurm [says]",
        "… and 2 more; --json lists all",
        f"mmulbench logs {plan.steps[1].step_id} shows more; mmulbench retry does them again",
        "it was cancelled; mmulbench retry goes on with it",
        "nobody works on it; mmulbench retry goes on with it",
    ]


def test_what_steps_say_is_one_line_each(tmp_path, capsys):
    folder, plan = make_sweep(tmp_path, "works")
    trouble = [BegunStep(plan.steps[1], state("failed", reason="no\nroom \x1b[2J [b]"))]
    status = SweepStatus({"failed": 1}, trouble, [], None, True, ["Slurm\x1b[2J"], ["held\x07: [x]"])
    print_status(folder, status, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:5] == [
        rf"{plan.steps[1].step_id} failed: works on emoji, seed 1: no room \x1b[2J [b]",
        r"held\x07: [x]",
        r"Slurm\x1b[2J",
    ]
    print_status(folder, status, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["notes"], said["stuck"]) == (["Slurm\x1b[2J"], ["held\x07: [x]"])


def test_nothing_is_shown_where_there_is_no_terminal(tmp_path, capfd):
    folder, plan = make_sweep(tmp_path, "works")
    for quiet in (True, False):
        with live_counts(folder, plan, quiet=quiet) as watch:
            watch()
    assert capfd.readouterr() == ("", "")
