"""The commands that look at a sweep: status, logs and cancel."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from slurm_answers import SlurmAnswers
from sweep_toys import make_sweep, state

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.sweeps.slurm_jobs import SlurmJobs, SlurmTask, write_jobs
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


@pytest.fixture
def jobs(sweep, tmp_path, monkeypatch) -> SlurmAnswers:
    """A Slurm in whose queue all of the sweep waits as one task."""
    folder, plan = sweep
    task = SlurmTask(job="7", steps=tuple(step.step_id for step in plan.steps))
    write_jobs(folder, SlurmJobs(settings={}, pack="3", cluster="here", tasks=(task,)))
    answers = SlurmAnswers(tmp_path / "bin")
    answers.say("scontrol", "ClusterName             = here\n")
    answers.queue("7|PENDING|Resources")
    monkeypatch.setenv("PATH", answers.path)
    return answers


def test_cancel_ends_the_jobs_of_the_sweep_alone(sweep, jobs, tmp_path):
    folder, _ = sweep
    jobs.say("squeue", "7|RUNNING|None|/home/me/precious.sh\n")
    cancel(tmp_path / "sweeps", None)
    assert folder.is_cancelled and jobs.calls("scancel") == []
    jobs.queue("7|RUNNING|None")
    cancel(tmp_path / "sweeps", None)
    assert jobs.calls("scancel") == ["--quiet 7"]


def test_cancel_ends_what_a_submission_that_was_cut_off_left(sweep, jobs, tmp_path):
    folder, _ = sweep
    place = folder.root / "slurm"
    place.mkdir()
    (folder.root / "slurm.json").unlink()
    jobs.say("squeue", f"8|PENDING|None|{place}/submitted-0a1b.sh\n")
    cancel(tmp_path / "sweeps", None)
    assert folder.is_cancelled and jobs.calls("scancel") == ["--quiet 8"]


def test_cancel_on_another_cluster_refuses(sweep, jobs, tmp_path):
    folder, _ = sweep
    jobs.say("scontrol", "ClusterName             = there\n")
    with pytest.raises(MmulbenchError, match="was submitted to the Slurm cluster here, and this is there"):
        cancel(tmp_path / "sweeps", None)
    assert not folder.is_cancelled and jobs.calls("scancel") == jobs.calls("squeue") == []


def test_cancel_without_an_answer_still_lets_nothing_more_start(sweep, jobs, tmp_path):
    folder, _ = sweep
    jobs.say("scontrol", "", err="scontrol: error: no controller", code=1)
    with pytest.raises(MmulbenchError, match="Slurm does not answer: no controller"):
        cancel(tmp_path / "sweeps", None)
    assert folder.is_cancelled


def test_watching_ends_where_only_somebody_can_go_on(sweep, jobs, tmp_path, capsys):
    jobs.queue("7|PENDING|JobHeldUser")
    assert status(tmp_path / "sweeps", None, watch=True, as_json=False) == 1
    assert "stuck in Slurm's queue: 1 (JobHeldUser): held; scontrol release" in capsys.readouterr().out


def test_the_log_of_a_step_that_never_began_is_that_of_its_job(sweep, jobs, tmp_path, capsys):
    folder, plan = sweep
    step = plan.steps[0].step_id
    with pytest.raises(UsageError, match="has not begun"):
        logs(tmp_path / "sweeps", None, step)
    (folder.root / "slurm").mkdir()
    (folder.root / "slurm" / "7_0_log.out").write_text("srun: fatal\n")
    logs(tmp_path / "sweeps", None, step)
    assert capsys.readouterr().out == "srun: fatal\n"
    folder.log(step).write_text("begun\n")
    logs(tmp_path / "sweeps", None, step)
    assert capsys.readouterr().out == "begun\n"
