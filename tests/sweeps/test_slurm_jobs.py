"""What Slurm says of a sweep's jobs, and what is done with them."""

from __future__ import annotations

import pytest
from slurm_answers import SlurmAnswers
from sweep_toys import make_sweep, state

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.slurm_jobs import (
    SlurmJobs,
    SlurmState,
    SlurmTask,
    cancel_jobs,
    end_strays,
    live_tasks,
    other_cluster,
    read_jobs,
    slurm_states,
    unended_tasks,
    write_jobs,
)

UNKNOWN = "slurm_load_jobs error: Invalid job id specified"
CONFIGURATION = (
    "Configuration data as of 2026-11-27T14:00:00\nClusterName             = {}\nMaxArraySize = 1001\n"
)


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> SlurmAnswers:
    answers = SlurmAnswers(tmp_path / "bin")
    monkeypatch.setenv("PATH", answers.path)
    return answers


@pytest.fixture
def sweep(tmp_path):
    """A sweep of an original and two runs, of which nothing has ended, and what was submitted for it."""
    folder, plan = make_sweep(tmp_path, "works", "raises")
    tasks = tuple(SlurmTask(job=f"12_{n}", steps=(step.step_id,)) for n, step in enumerate(plan.steps))
    jobs = SlurmJobs(settings={}, pack="1", cluster="here", tasks=tasks)
    write_jobs(folder, jobs)
    return folder, jobs


def test_what_the_controller_has_forgotten_is_asked_of_the_accounting(slurm):
    slurm.queue("3_0|RUNNING|None")
    slurm.say("sacct", "4_0|TIMEOUT\n4_1|CANCELLED by 0\n")
    states = slurm_states("1234abcd", ["4", "3", "4"])
    assert states == {
        "3_0": SlurmState("RUNNING", "None"),
        "4_0": SlurmState("TIMEOUT"),
        "4_1": SlurmState("CANCELLED by 0"),
    }
    assert slurm.calls("sacct")[0].endswith("--jobs=4")
    slurm.say("squeue", "", err=UNKNOWN, code=1)
    assert set(slurm_states("1234abcd", ["4"])) == {"4_0", "4_1"}
    slurm.say("sacct", "", err="sacct: error: no accounting here", code=1)
    assert slurm_states("1234abcd", ["4"]) == {}


def test_jobs_that_run_something_else_are_not_the_sweeps(slurm):
    slurm.say(
        "squeue",
        "3_0|RUNNING|None|(null)\n"
        "4|RUNNING|None|/home/me/precious.sh\n"
        "5|PENDING|Resources|/sweeps/ffff0000/slurm/submitted-1.sh\n"
        "6|PENDING|Resources|/sweeps/1234abcd/slurm/.submission_file_1.sh\n",
    )
    slurm.say("sacct", "7|RUNNING\n8|FAILED\n")
    states = slurm_states("1234abcd", ["3", "4", "5", "6", "7", "8"])
    assert states == {"6": SlurmState("PENDING", "Resources"), "8": SlurmState("FAILED")}
    # The accounting knows 7 as running, but the controller does not know it: it cannot run.
    assert slurm.calls("sacct")[0].endswith("--jobs=7,8")


def test_answers_may_have_any_bytes_and_lines_of_other_commands(slurm, tmp_path):
    odd = (
        b"CLUSTER: b\n3_0|RUNNING|None|/l\xe9\xffa\nb|c/1234abcd/slurm/submitted-1.sh\n4|PENDING|\xfc|/x.sh\n"
    )
    slurm.say("squeue", "")
    (tmp_path / "bin" / "squeue.out").write_bytes(odd)
    (tmp_path / "bin" / "sacct.out").write_bytes(b"\xe9\n3_0|FAILED\n")
    assert slurm_states("1234abcd", ["3"]) == {"3_0": SlurmState("RUNNING", "None")}


def test_of_no_jobs_nothing_is_asked(slurm):
    assert slurm_states("1234abcd", []) == {}
    cancel_jobs([])
    assert slurm.calls("squeue") == slurm.calls("scancel") == []


def test_live_tasks_wait_or_run(slurm, sweep):
    folder, jobs = sweep
    slurm.queue("12_0|PENDING|Priority", "12_1|COMPLETING|None", "12_2|FAILED|None")
    assert [task.job for task in live_tasks(folder, jobs)] == ["12_0", "12_1"]


def test_arrays_are_cancelled_once_each(slurm):
    cancel_jobs(["12", "9", "12"])
    assert slurm.calls("scancel") == ["--quiet 9 12"]


def test_what_nobody_noted_is_ended_where_it_runs_scripts_of_this_folder(slurm, sweep, tmp_path):
    folder, jobs = sweep
    place = folder.root / "slurm"
    place.mkdir()
    ours, elsewhere = place / "submitted-0a1b.sh", tmp_path / "copy/1234abcd/slurm/submitted-0a1b.sh"
    queue = [("9", elsewhere), ("12_0", ours), ("30_0", ours), ("30_1", ours), ("5", ours), ("6", "/x.sh")]
    slurm.say("squeue", "".join(f"{job}|PENDING|None|{script}\n" for job, script in queue))
    assert end_strays(folder, jobs) == ["5", "30"]
    assert slurm.calls("scancel") == ["--quiet 5 30"]
    assert end_strays(folder, None) == ["5", "12", "30"]
    link = tmp_path / "link"
    link.symlink_to(folder.root.parent)
    assert end_strays(SweepFolder(link / folder.sweep_id), jobs) == ["5", "30"]


def test_where_nothing_was_ever_submitted_nothing_is_asked_of_slurm(slurm, sweep):
    assert end_strays(sweep[0], None) == [] == slurm.calls("squeue")


def test_another_cluster_is_named(slurm, sweep):
    folder, jobs = sweep
    slurm.say("scontrol", CONFIGURATION.format("here"))
    assert other_cluster(folder, jobs) is None
    slurm.say("scontrol", CONFIGURATION.format("there"))
    said = other_cluster(folder, jobs)
    assert said is not None
    assert said.startswith("sweep 1234abcd was submitted to the Slurm cluster here, and this is there: give")
    assert said.endswith(f"delete {folder.root / 'slurm.json'}")
    # Nothing is known of a cluster whose name was not kept, or that does not say its name.
    assert other_cluster(folder, jobs.model_copy(update={"cluster": ""})) is None
    slurm.say("scontrol", "Configuration data as of 2026\n")
    assert other_cluster(folder, jobs) is None


def test_another_cluster_does_not_matter_where_all_has_ended(slurm, sweep):
    folder, jobs = sweep
    slurm.say("scontrol", CONFIGURATION.format("there"))
    for task in jobs.tasks[1:]:
        folder.write_state(task.steps[0], state("done"))
    assert [task.job for task in unended_tasks(folder, jobs)] == ["12_0"]
    folder.write_state(jobs.tasks[0].steps[0], state("failed"))
    assert other_cluster(folder, jobs) is None


def test_a_machine_without_slurm_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MmulbenchError, match="there is no squeue on this machine, so Slurm cannot be asked"):
        slurm_states("1234abcd", ["1"])


def test_what_was_submitted_is_read_as_it_was_written(sweep, tmp_path):
    folder, jobs = sweep
    assert read_jobs(folder) == jobs
    assert jobs.job_name("1234abcd") == "mmulbench-1234abcd"
    assert jobs.model_copy(update={"settings": {"job-name": "mine"}}).job_name("1234abcd") == "mine"


def test_the_latest_task_of_a_step_counts():
    tasks = (SlurmTask(job="1_0", steps=("a" * 12, "b" * 12)), SlurmTask(job="2", steps=("b" * 12,)))
    found = SlurmJobs(settings={}, pack="2", tasks=tasks).task_of_step()
    assert {step: task.job for step, task in found.items()} == {"a" * 12: "1_0", "b" * 12: "2"}
    assert [task.array for task in tasks] == ["1", "2"]
