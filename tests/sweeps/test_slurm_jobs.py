"""What Slurm says of a sweep's jobs, and what that means for its steps."""

from __future__ import annotations

import pytest
from slurm_answers import SlurmAnswers
from sweep_toys import make_sweep, state

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.slurm_jobs import (
    SlurmJobs,
    SlurmState,
    SlurmTask,
    cancel_jobs,
    live_tasks,
    reasons,
    slurm_states,
    with_slurm,
    write_jobs,
)

UNKNOWN = "slurm_load_jobs error: Invalid job id specified"


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> SlurmAnswers:
    answers = SlurmAnswers(tmp_path / "bin")
    monkeypatch.setenv("PATH", answers.path)
    return answers


@pytest.fixture
def sweep(tmp_path):
    """A sweep whose original has ended, and whose two runs are the tasks of an array."""
    folder, plan = make_sweep(tmp_path, "works", "raises")
    original, *runs = (step.step_id for step in plan.steps)
    folder.write_state(original, state("done"))
    tasks = [SlurmTask(job="11", steps=(original,))]
    tasks += [SlurmTask(job=f"12_{number}", steps=(step,)) for number, step in enumerate(runs)]
    write_jobs(folder, SlurmJobs(settings={}, pack="1", tasks=tuple(tasks)))
    return folder, plan


def test_tasks_that_wait_make_their_steps_wait(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("lost"))
    slurm.say("squeue", "12_0|PENDING|Resources\n12_1|PENDING|Resources\n")
    found = with_slurm(folder)
    assert found.live and found.notes == ["waiting in Slurm's queue: 2 (Resources)"]
    waits = found.states[plan.steps[1].step_id]
    assert (waits.status, waits.reason) == ("queued", "Slurm job 12_0 waits: Resources")
    assert plan.steps[2].step_id not in found.states
    assert [call.split()[-1] for call in slurm.calls("squeue")] == ["--jobs=12"]  # the original has ended


def test_a_step_whose_task_runs_is_not_lost(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("lost"))
    slurm.say("squeue", "12_0|RUNNING|None\n12_1|COMPLETED|None\n")
    found = with_slurm(folder)
    assert found.live and found.notes == []
    assert found.states[plan.steps[1].step_id].status == "queued"


def test_a_step_whose_task_is_over_is_lost(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("queued", attempts=2))
    slurm.say("squeue", "12_0|NODE_FAIL|None\n")
    found = with_slurm(folder)
    assert not found.live
    first, second = (found.states[step.step_id] for step in plan.steps[1:])
    log = folder.root / "slurm" / "12_0_0_log.out"
    said = f"Slurm job 12_0 is over (NODE_FAIL); what it printed is in {log}"
    assert (first.status, first.attempts, first.reason) == ("lost", 2, said)
    assert (second.status, second.attempts) == ("lost", 0)
    assert second.reason.startswith("Slurm job 12_1 is over (not known any more)")


def test_steps_of_a_cancelled_sweep_wait(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("lost"))
    folder.cancel()
    found = with_slurm(folder)
    assert found.states[plan.steps[1].step_id].reason == "cancelled"
    assert plan.steps[2].step_id not in found.states


def test_a_slurm_that_does_not_answer_leaves_what_the_folder_tells(slurm, sweep):
    folder, _ = sweep
    slurm.say("squeue", "", err="squeue: error: Unable to contact slurm controller\n", code=1)
    found = with_slurm(folder)
    assert found.states == folder.states() and found.live
    said = "Slurm does not answer: Unable to contact slurm controller; this is what the sweep's folder tells"
    assert found.notes == [said]


def test_what_the_controller_has_forgotten_is_asked_of_the_accounting(slurm):
    slurm.say("squeue", "3_0|RUNNING|None\n")
    slurm.say("sacct", "4_0|TIMEOUT\n4_1|CANCELLED by 0\n")
    states = slurm_states(["4", "3", "4"])
    assert states == {
        "3_0": SlurmState("RUNNING", "None"),
        "4_0": SlurmState("TIMEOUT"),
        "4_1": SlurmState("CANCELLED by 0"),
    }
    assert slurm.calls("sacct")[0].endswith("--jobs=4")
    slurm.say("squeue", "", err=UNKNOWN, code=1)
    assert set(slurm_states(["4"])) == {"4_0", "4_1"}
    slurm.say("sacct", "", err="sacct: error: no accounting here", code=1)
    assert slurm_states(["4"]) == {}


def test_of_no_jobs_nothing_is_asked(slurm, tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    assert slurm_states([]) == {} == with_slurm(folder).states
    cancel_jobs([])
    assert slurm.calls("squeue") == slurm.calls("scancel") == []


def test_live_tasks_wait_or_run(slurm, sweep):
    jobs = SlurmJobs(settings={}, pack="1", tasks=tuple(SlurmTask(job=f"{n}", steps=()) for n in range(1, 5)))
    slurm.say("squeue", "1|PENDING|Priority\n2|COMPLETING|None\n3|FAILED|None\n")
    assert [task.job for task in live_tasks(jobs)] == ["1", "2"]


def test_arrays_are_cancelled_once_each(slurm):
    cancel_jobs(["12", "9", "12"])
    assert slurm.calls("scancel") == ["--quiet 9 12"]


def test_a_machine_without_slurm_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MmulbenchError, match="there is no squeue on this machine, so Slurm cannot be asked"):
        slurm_states(["1"])


def test_the_latest_task_of_a_step_counts():
    tasks = (SlurmTask(job="1_0", steps=("a" * 12, "b" * 12)), SlurmTask(job="2", steps=("b" * 12,)))
    found = SlurmJobs(settings={}, pack="2", tasks=tasks).task_of_step()
    assert {step: task.job for step, task in found.items()} == {"a" * 12: "1_0", "b" * 12: "2"}
    assert [task.array for task in tasks] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sbatch: error: no such partition\n\nsbatch: fatal: giving up\n", "no such partition; giving up"),
        ("plain", "plain"),
        ("\n", "no reason given"),
    ],
)
def test_reasons_are_one_line(text, line):
    assert reasons(text) == line
