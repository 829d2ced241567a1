"""A supervisor: steps that hang, workers that die, and what is recorded of them."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import sweep_toys
from sweep_toys import ORIGINAL, PATIENCE, make_sweep, until

from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore, read_record
from mmulbench.sweeps.supervisor import supervise


def worker(root, *more):
    return [sys.executable, sweep_toys.__file__, str(root), *more]


def records(root) -> dict[str, RunResult]:
    found, unreadable = ResultsStore(root / "results").load_all()
    assert unreadable == []
    assert len({record.run_id for record in found}) == len(found)
    return {record.spec.method: record for record in found}


def let_it_take_long(folder, step_id):
    """Say of a step that hangs that it began two hours ago, so that no test waits for a limit."""
    until(folder.planned(step_id).exists, "a step that hangs")
    found = folder.state(step_id)
    folder.write_state(step_id, found.model_copy(update={"started": found.started - timedelta(hours=2)}))


@pytest.mark.slow
def test_whatever_ends_a_worker_costs_one_record_and_says_why(tmp_path, capfd):
    methods = ("dies", "works", "hangs", "exits", "records_and_dies", "works_too")
    folder, plan = make_sweep(tmp_path, *methods)
    hanging = plan.steps[1 + methods.index("hangs")].step_id
    thread = threading.Thread(target=let_it_take_long, args=(folder, hanging))
    thread.start()
    assert supervise(folder, worker(tmp_path), 3600.0, {}) == 0
    thread.join()
    reasons = {name: record.reason for name, record in records(tmp_path).items()}
    assert reasons == {
        "dies": "its worker was ended by SIGKILL, which is also what happens when memory runs out",
        "works": None,
        "hangs": "took longer than --timeout 3600 s",
        "exits": "its worker ended with exit code 7",
        "records_and_dies": None,  # its record was there already
        "works_too": None,
    }
    for step in plan.steps[1:]:
        found, record = folder.state(step.step_id), records(tmp_path)[step.job.method]
        assert (found.status, found.reason) == (record.status, record.reason)
        assert read_record(ResultsStore(tmp_path / "results").path(record.spec)) == record
        assert found.killed == (step.job.method in ("dies", "hangs", "exits"))
        if found.killed:
            assert folder.log(step.step_id).read_text().endswith(f"failed: {record.reason}\n")
            assert record.finished >= record.started
    assert list((folder.root / "planned").iterdir()) == list((folder.root / "workers").iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_retried_steps_replace_their_records(tmp_path):
    folder, plan = make_sweep(tmp_path, "dies", "exits")
    supervise(folder, worker(tmp_path), None, {})
    assert {record.status for record in records(tmp_path).values()} == {"failed"}
    for step in plan.steps:
        folder.write_state(step.step_id, folder.state(step.step_id).queued())
    supervise(folder, worker(tmp_path), None, {})
    assert {name: record.status for name, record in records(tmp_path).items()} == {
        "dies": "done",
        "exits": "done",
    }
    assert [folder.state(step.step_id).attempts for step in plan.steps] == [2, 2, 2]


@pytest.mark.slow
def test_a_worker_may_ask_for_a_new_process(tmp_path):
    folder, plan = make_sweep(tmp_path, "works", "works_too")
    assert supervise(folder, worker(tmp_path, "one"), None, {}) == 0
    assert len({folder.state(step.step_id).worker for step in plan.steps}) == 3


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("import sys; print('no such package', file=sys.stderr); sys.exit(3)", 3, "no such package\n"),
        (
            "import os; os.kill(os.getpid(), 9)",
            -9,
            "a worker could not start: its worker was ended by SIGKILL",
        ),
    ],
)
def test_a_worker_that_cannot_start_is_not_tried_for_ever(program, code, said, tmp_path, capfd):
    folder, _ = make_sweep(tmp_path, "works")
    assert supervise(folder, [sys.executable, "-c", program], None, {}) == code
    assert said in capfd.readouterr().err
    assert folder.states() == {}


def test_an_interrupted_step_waits_again_and_has_no_record(tmp_path):
    folder, plan = make_sweep(tmp_path, "hangs", "works")
    over, hanging = threading.Event(), plan.steps[1].step_id
    thread = threading.Thread(target=supervise, args=(folder, worker(tmp_path), None, {}, over.is_set))
    thread.start()
    until(lambda: (found := folder.state(hanging)) and found.status == "running", "a step that hangs")
    assert folder.is_attended
    over.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not folder.is_attended
    found = folder.state(hanging)
    assert (found.status, found.reason, found.attempts) == ("queued", "interrupted", 1)
    assert folder.log(hanging).read_text().endswith("interrupted; it waits again\n")
    assert records(tmp_path) == {}
    with folder.claim(hanging) as free:  # the worker is gone
        assert free


def test_a_process_that_a_step_started_ends_with_its_worker(tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    note = tmp_path / "child"
    program = f"""
import os, subprocess, sys, time
sys.path.insert(0, {str(sweep_toys.__file__).rpartition("/")[0]!r})
import sweep_toys

class Starting(sweep_toys.Toy):
    def make(self, step, *given, **also):
        child = subprocess.Popen(["sleep", "600"])
        open({str(note)!r}, "w").write(str(child.pid))
        time.sleep(600)

sweep_toys.Toy = Starting
sys.exit(sweep_toys.main())
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    over = threading.Event()
    thread = threading.Thread(target=supervise, args=(folder, command, None, {}, over.is_set))
    thread.start()
    until(lambda: note.exists() and note.read_text(), "a process of the step")
    over.set()
    thread.join(PATIENCE)
    listed = subprocess.run(["ps", "-o", "stat=", "-p", note.read_text()], capture_output=True, text=True)
    assert listed.stdout.strip()[:1] in ("", "Z")
    assert folder.state(ORIGINAL).status == "queued"
