"""What Slurm's answers mean for a sweep's steps."""

from __future__ import annotations

import pytest
from slurm_answers import SlurmAnswers
from sweep_toys import make_sweep, state

from mmulbench.sweeps.slurm_jobs import SlurmJobs, SlurmTask, write_jobs
from mmulbench.sweeps.slurm_status import with_slurm


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
    write_jobs(folder, SlurmJobs(settings={}, pack="1", cluster="here", tasks=tuple(tasks)))
    return folder, plan


def test_tasks_that_wait_make_their_steps_wait(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("lost"))
    slurm.queue("12_0|PENDING|Resources", "12_1|PENDING|Resources")
    found = with_slurm(folder)
    assert found.live and found.notes == ["waiting in Slurm's queue: 2 (Resources)"]
    waits = found.states[plan.steps[1].step_id]
    assert (waits.status, waits.reason) == ("queued", "Slurm job 12_0 waits: Resources")
    assert plan.steps[2].step_id not in found.states
    assert [call.split()[-1] for call in slurm.calls("squeue")] == ["--jobs=12"]  # the original has ended
    assert found.submitted is not None and set(found.submitted) == {step.step_id for step in plan.steps}


@pytest.mark.parametrize(
    ("answers", "stuck", "notes", "standstill"),
    [
        (("PENDING|JobHeldUser", "PENDING|JobHeldUser"), ["2 (JobHeldUser): held; scontrol"], [], True),
        (("PENDING|BadConstraints", "PENDING|Dependency"), ["1 (BadConstraints)"], ["1 (Dependency)"], True),
        (("PENDING|JobHeldAdmin", "PENDING|Priority"), ["1 (JobHeldAdmin)"], ["1 (Priority)"], False),
        (("REQUEUE_HOLD|job requeued in held state", "RUNNING|None"), ["1 (job requeued in"], [], False),
        (("PENDING|Dependency", "PENDING|Dependency"), [], ["2 (Dependency)"], False),
        (("PENDING|PartitionDown", "FAILED|None"), [], ["1 (PartitionDown): the partition"], False),
    ],
)
def test_what_starts_only_when_somebody_acts_is_stuck(slurm, sweep, answers, stuck, notes, standstill):
    folder, _ = sweep
    slurm.queue(*(f"12_{number}|{answer}" for number, answer in enumerate(answers)))
    found = with_slurm(folder)
    for lines, wanted, start in ((found.stuck, stuck, "stuck"), (found.notes, notes, "waiting")):
        assert len(lines) == len(wanted)
        assert all(
            line.startswith(f"{start} in Slurm's queue: {end}")
            for line, end in zip(lines, wanted, strict=True)
        )
    assert found.is_standstill is standstill


def test_a_step_whose_task_runs_is_not_lost(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("lost"))
    slurm.queue("12_0|RUNNING|None", "12_1|COMPLETED|None")
    found = with_slurm(folder)
    assert found.live and found.notes == []
    assert found.states[plan.steps[1].step_id].status == "queued"


def test_a_step_whose_task_is_over_is_lost(slurm, sweep):
    folder, plan = sweep
    folder.write_state(plan.steps[1].step_id, state("queued", attempts=2))
    slurm.queue("12_0|NODE_FAIL|None")
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


def test_another_cluster_is_not_asked_of_these_jobs(slurm, sweep):
    folder, _ = sweep
    slurm.say("scontrol", "ClusterName             = there\n")
    slurm.queue("12_0|FAILED|None", "12_1|FAILED|None")
    found = with_slurm(folder)
    assert found.states == folder.states() and found.live
    assert found.notes[0].startswith(
        "sweep 1234abcd was submitted to the Slurm cluster here, and this is there"
    )
    assert slurm.calls("squeue") == []


def test_without_jobs_the_folder_tells_all(slurm, tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    found = with_slurm(folder)
    assert (found.states, found.submitted, found.live) == ({}, None, False)
