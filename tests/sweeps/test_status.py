"""How far a sweep is: counts, trouble, time left."""

from __future__ import annotations

import pytest
from slurm_answers import SlurmAnswers
from sweep_toys import ORIGINAL, make_sweep, state

from mmulbench.sweeps.slurm_jobs import SlurmJobs, SlurmTask, write_jobs
from mmulbench.sweeps.status import BegunStep, sweep_status


@pytest.fixture
def sweep(tmp_path):
    return make_sweep(tmp_path, "works", "raises")


def test_a_sweep_that_was_not_begun_waits(sweep):
    folder, plan = sweep
    found = sweep_status(folder, plan.steps)
    assert found.counts == {"queued": 3}
    assert not (found.trouble or found.running or found.notes)
    assert found.seconds_left is None and not found.attended
    assert not found.is_over and not found.is_complete


def test_steps_are_counted_by_status(sweep):
    folder, plan = sweep
    first, second, third = plan.steps
    failed, running = state("failed", reason="x"), state()
    folder.write_state(first.step_id, failed)
    folder.write_state(second.step_id, state("queued"))
    with folder.attended(), folder.beating(third.step_id):
        folder.write_state(third.step_id, running)
        found = sweep_status(folder, plan.steps)
    assert found.counts == {"failed": 1, "queued": 1, "running": 1}
    assert found.trouble == [BegunStep(first, failed)]
    assert found.running == [BegunStep(third, running)]
    assert found.attended
    assert sweep_status(folder, plan.steps[1:2]).counts == {"queued": 1}


def test_a_lost_step_is_in_trouble(sweep):
    folder, plan = sweep
    folder.write_state(ORIGINAL, state())  # and nobody touches it
    found = sweep_status(folder, plan.steps)
    assert found.counts == {"lost": 1, "queued": 2}
    assert "elsewhere:1 was not heard of" in found.trouble[0].state.reason


def test_a_sweep_whose_steps_have_all_ended_is_complete(sweep):
    folder, plan = sweep
    for step, status in zip(plan.steps, ("done", "not_applicable", "diverged"), strict=True):
        folder.write_state(step.step_id, state(status))
    found = sweep_status(folder, plan.steps)
    assert found.is_over and found.is_complete
    assert [one.step for one in found.trouble] == [plan.steps[2]]


def test_what_waits_in_a_cancelled_sweep_is_cancelled(sweep):
    folder, plan = sweep
    folder.write_state(ORIGINAL, state("done"))
    assert not sweep_status(folder, plan.steps).is_over
    folder.cancel()
    found = sweep_status(folder, plan.steps)
    assert found.counts == {"done": 1, "cancelled": 2}
    assert found.is_over and not found.is_complete and found.seconds_left is None


def test_time_left_is_that_of_the_same_kind_spread_over_the_workers(sweep):
    folder, plan = sweep
    done = state("done")
    folder.write_state(ORIGINAL, done.model_copy(update={"ended": done.started.replace(year=2100)}))
    spent = (done.started.replace(year=2100) - done.started).total_seconds()
    assert sweep_status(folder, plan.steps).seconds_left == 2 * spent
    with folder.beating(plan.steps[1].step_id), folder.beating(plan.steps[2].step_id):
        for step in plan.steps[1:]:
            folder.write_state(step.step_id, state())
        assert sweep_status(folder, plan.steps).seconds_left == spent


def test_steps_that_are_stuck_or_not_submitted_are_said(sweep, tmp_path, monkeypatch):
    folder, plan = sweep
    slurm = SlurmAnswers(tmp_path / "bin")
    monkeypatch.setenv("PATH", slurm.path)
    write_jobs(folder, SlurmJobs(settings={}, pack="1", tasks=(SlurmTask(job="1", steps=(ORIGINAL,)),)))
    slurm.queue("1|PENDING|JobHeldUser")
    found = sweep_status(folder, plan.steps)
    assert found.stuck[0].startswith("stuck in Slurm's queue: 1 (JobHeldUser): held; scontrol release")
    assert found.notes == ["not submitted yet: 2; mmulbench retry does it when Slurm has room"]
    assert found.is_in_trouble and found.is_standstill and found.attended and not found.trouble
    assert found.counts == {"queued": 3}
    slurm.queue("1|PENDING|Resources")
    found = sweep_status(folder, plan.steps)
    assert not found.is_in_trouble and not found.is_standstill
