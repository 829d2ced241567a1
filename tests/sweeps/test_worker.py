"""A worker: order, what goes wrong, several at once, cancelling."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sweep_toys
from sweep_toys import ORIGINAL, PATIENCE, Toy, make_sweep, state

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.state import now
from mmulbench.sweeps.worker import StepQueue, printing_to


def statuses(folder, plan):
    return [found.status if (found := folder.state(step.step_id)) else None for step in plan.steps]


def test_steps_are_made_in_their_order_and_leave_state_record_and_log(tmp_path, capfd):
    folder, plan = make_sweep(tmp_path, "works", "raises", "works_too")
    assert StepQueue(folder, plan.steps, Toy(tmp_path)).run() is False
    assert statuses(folder, plan) == ["done", "done", "failed", "done"]
    found = [folder.state(step.step_id) for step in plan.steps]
    assert [one.started for one in found] == sorted(one.started for one in found)
    assert found[2].reason.startswith("ValueError: over and over (") and not found[2].killed
    assert "sweep_toys.py:" in found[2].reason and found[2].reason.endswith(" in make)")
    for one in (found[1], found[3]):
        assert one.record is not None and Path(one.record).exists()
    log = folder.log(plan.steps[2].step_id).read_text()
    assert "begins, attempt 1: raises on emoji, seed 1\n" in log
    assert "Traceback" in log and log.endswith(f"failed: {found[2].reason}\n")
    assert list((folder.root / "planned").iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_steps_that_have_ended_are_not_made_again(tmp_path):
    folder, plan = make_sweep(tmp_path, "works", "works_too")
    done = state("done")
    folder.write_state(ORIGINAL, done)
    folder.write_state(plan.steps[1].step_id, state("queued", attempts=3))
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()
    assert folder.state(ORIGINAL) == done
    assert [folder.state(step.step_id).attempts for step in plan.steps[1:]] == [4, 1]


def test_a_worker_for_some_steps_leaves_the_others(tmp_path):
    folder, plan = make_sweep(tmp_path, "works", "works_too")
    StepQueue(folder, plan.steps[2:], Toy(tmp_path)).run()
    assert statuses(folder, plan) == [None, None, "done"]


def test_what_needs_a_killed_step_is_not_tried_but_recorded(tmp_path):
    folder, plan = make_sweep(tmp_path, "works", "hangs")
    folder.write_state(ORIGINAL, state("failed", reason="took longer than --timeout 5 s", killed=True))
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()
    assert statuses(folder, plan) == ["failed", "failed", "failed"]
    found = folder.state(plan.steps[1].step_id)
    reason = f"what it needs was not made: step {ORIGINAL} took longer than --timeout 5 s"
    assert found.record is not None and reason in Path(found.record).read_text()


def test_what_needs_a_failed_step_says_itself_why_it_fails(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    folder.write_state(ORIGINAL, state("failed", reason="diverged"))
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()
    assert statuses(folder, plan) == ["failed", "done"]


def test_nothing_is_started_after_cancel(tmp_path):
    folder, plan = make_sweep(tmp_path, "works", "works_too")

    class Cancelling(Toy):
        def make(self, step, *given, **also):
            folder.cancel()
            return super().make(step, *given, **also)

    StepQueue(folder, plan.steps, Cancelling(tmp_path)).run()
    assert statuses(folder, plan) == ["done", None, None]


@pytest.mark.slow
def test_a_running_step_is_left_alone_until_it_is_lost(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    beat = folder.root / "state" / f"{ORIGINAL}.beat"
    beat.touch()
    folder.write_state(ORIGINAL, state(worker="elsewhere:1"))
    began = now()
    threading.Timer(1.2, beat.unlink).start()
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()
    assert statuses(folder, plan) == ["done", "done"]
    found = folder.state(ORIGINAL)
    assert found.attempts == 2
    assert (found.started - began).total_seconds() > 1.2


@pytest.mark.slow
def test_several_workers_make_each_step_once(tmp_path):
    meeting = ("meets_one", "meets_another")  # so that two workers make steps, whoever comes first
    folder, plan = make_sweep(tmp_path, *meeting, *(f"works_{number}" for number in range(38)))
    command = [sys.executable, sweep_toys.__file__, str(tmp_path)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    assert [worker.communicate(timeout=PATIENCE)[1] for worker in workers] == [b""] * 3
    assert statuses(folder, plan) == ["done"] * 41
    for step in plan.steps:
        assert folder.state(step.step_id).attempts == 1
        assert folder.log(step.step_id).read_text().count(" begins, attempt 1: ") == 1
    assert len({folder.state(step.step_id).worker for step in plan.steps}) > 1


def test_what_libraries_print_goes_to_the_log_and_only_there(tmp_path, capfd):
    log = tmp_path / "log"
    with printing_to(log):
        os.system("echo from a process")
        print("from here")
    print("after")
    assert sorted(log.read_text().splitlines()) == ["from a process", "from here"]
    assert capfd.readouterr().out == "after\n"
    with printing_to(Path("/dev/full")):
        print("a full disk costs the log, not the step")
        sys.stderr.write("x" * 100_000)
    there, error = printing_to(log / "x"), "choose another folder with --sweeps-dir"
    with pytest.raises(MmulbenchError, match=error), there:
        pass
