"""What runs in a Slurm job; interruptions by a real Slurm are in tests/slurm."""

from __future__ import annotations

import signal

import pytest
from sweep_toys import make_sweep, state

from mmulbench.sweeps.slurm_task import SlurmSteps, queue_abandoned


def test_steps_that_no_worker_holds_wait_again(tmp_path):
    folder, plan = make_sweep(tmp_path, "one", "two", "three")
    running, held, done, new = (step.step_id for step in plan.steps)
    folder.write_state(running, state())
    folder.write_state(held, state())
    folder.write_state(done, state("done"))
    with type(folder)(folder.root).claim(held):
        queue_abandoned(folder, [running, held, done, new], "its Slurm job was interrupted")
    found = folder.states()
    assert (found[running].status, found[running].reason) == ("queued", "its Slurm job was interrupted")
    assert found[held].status != "queued"
    assert found[done].status == "done" and new not in found


@pytest.mark.slow
def test_a_job_whose_steps_have_ended_does_nothing(tmp_path):
    folder, plan = make_sweep(tmp_path, "one")
    for step in plan.steps:
        folder.write_state(step.step_id, state("done"))
    before = signal.getsignal(signal.SIGTERM)
    try:
        SlurmSteps(str(folder.root), [step.step_id for step in plan.steps], None)()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert {found.attempts for found in folder.states().values()} == {1}


def test_the_same_steps_are_started_again_after_a_time_limit():
    pytest.importorskip("submitit")
    steps = SlurmSteps("/sweeps/1234abcd", ("a" * 12,), 5.0)
    assert steps.checkpoint().function is steps
