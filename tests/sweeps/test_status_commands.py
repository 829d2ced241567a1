"""The commands that look at a sweep: status, logs and cancel."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from sweep_toys import make_sweep, state

from mmulbench.errors import UsageError
from mmulbench.sweeps.status_commands import cancel, logs, status


@pytest.fixture
def sweep(tmp_path):
    return make_sweep(tmp_path, "works", "raises")


def test_status_says_what_is_in_trouble_and_what_to_do(sweep, tmp_path, capsys):
    folder, plan = sweep
    for step, name in zip(plan.steps, ("done", "failed", "done"), strict=True):
        folder.write_state(step.step_id, state(name, reason="oh no" if name == "failed" else None))
    assert status(tmp_path / "sweeps", None, watch=True, as_json=False) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"sweep 1234abcd in {folder.root}"
    assert f"{plan.steps[1].step_id} failed: works on emoji, seed 1: oh no" in lines
    assert lines[-1].endswith(" shows more; mmulbench retry does them again")
    assert status(tmp_path / "sweeps", "1234abcd", watch=False, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["counts"] == {"done": 2, "failed": 1}
    assert [(one["id"], one["reason"]) for one in said["trouble"]] == [(plan.steps[1].step_id, "oh no")]


def test_status_says_that_nobody_works_on_it(sweep, tmp_path, capsys):
    assert status(tmp_path / "sweeps", None, watch=True, as_json=False) == 0
    assert capsys.readouterr().out.endswith("nobody works on it; mmulbench retry goes on with it\n")


def test_logs_are_found_by_the_start_of_a_steps_id(sweep, tmp_path, capsys):
    folder, plan = sweep
    last = plan.steps[2].step_id
    with pytest.raises(UsageError, match="is the start of 3 steps of sweep 1234abcd; give more of it"):
        logs(tmp_path / "sweeps", None, "0000")
    with pytest.raises(UsageError, match="no step 'f00' in sweep 1234abcd"):
        logs(tmp_path / "sweeps", None, "f00")
    with pytest.raises(UsageError, match=f"step {last} of sweep 1234abcd has not begun"):
        logs(tmp_path / "sweeps", None, last)
    folder.log(last).write_text("a line\n")
    logs(tmp_path / "sweeps", None, last)
    assert capsys.readouterr().out == "a line\n"


def test_cancel_tells_the_workers(sweep, tmp_path, capsys):
    folder, _ = sweep
    cancel(tmp_path / "sweeps", None)
    assert folder.is_cancelled
    said = "sweep 1234abcd starts nothing more; mmulbench retry goes on with it\n"
    assert capsys.readouterr().out == said


def test_status_and_what_looks_after_workers_do_without_torch():
    modules = "status_commands, supervisor"
    program = f"import sys; from mmulbench.sweeps import {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
