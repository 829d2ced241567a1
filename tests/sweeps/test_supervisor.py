"""A supervisor: steps that hang, workers that die, and what is recorded of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
import sweep_toys
from sweep_toys import ORIGINAL, make_sweep, record_of, state

from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore, read_record
from mmulbench.sweeps.killed_step import state_of_killed, store_failure
from mmulbench.sweeps.local import LocalExecutor, follow, share
from mmulbench.sweeps.supervisor import supervise


def worker(root, *more):
    return [sys.executable, sweep_toys.__file__, str(root), *more]


def records(root) -> dict[str, RunResult]:
    found, unreadable = ResultsStore(root / "results").load_all()
    assert unreadable == []
    assert len({record.run_id for record in found}) == len(found)
    return {record.spec.method: record for record in found}


@pytest.mark.slow
def test_whatever_ends_a_worker_costs_one_record_and_says_why(tmp_path, capfd):
    methods = ("dies", "works", "hangs", "exits", "records_and_dies", "works_too")
    folder, plan = make_sweep(tmp_path, *methods)
    assert supervise(folder, worker(tmp_path), 4.0, {}) == 0
    reasons = {name: record.reason for name, record in records(tmp_path).items()}
    assert reasons == {
        "dies": "its worker was ended by SIGKILL, which is also what happens when memory runs out",
        "works": None,
        "hangs": "took longer than --timeout 4 s",
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
    deadline = time.monotonic() + 60
    while (found := folder.state(hanging)) is None or found.status != "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert folder.is_attended
    over.set()
    thread.join(20)
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
        child = subprocess.Popen(["sleep", "60"])
        open({str(note)!r}, "w").write(str(child.pid))
        time.sleep(60)

sweep_toys.Toy = Starting
sys.exit(sweep_toys.main())
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    over = threading.Event()
    thread = threading.Thread(target=supervise, args=(folder, command, None, {}, over.is_set))
    thread.start()
    deadline = time.monotonic() + 60
    while not note.exists() or not note.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    over.set()
    thread.join(20)
    listed = subprocess.run(["ps", "-o", "stat=", "-p", note.read_text()], capture_output=True, text=True)
    assert listed.stdout.strip()[:1] in ("", "Z")
    assert folder.state(ORIGINAL).status == "queued"


def test_a_failure_takes_no_place_that_is_not_its_own(tmp_path):
    _, plan = make_sweep(tmp_path, "works")
    store = ResultsStore(tmp_path / "results")
    done = record_of(plan.steps[1])
    failed = done.model_copy(
        update={"status": "failed", "reason": "x", "started": done.finished + timedelta(seconds=1)}
    )
    store.write(done)
    assert store_failure(store, failed, always=False) == done  # numbers are not given up for a failure
    assert store.find(done.spec) == done
    earlier = failed.model_copy(update={"started": done.started - timedelta(seconds=1)})
    assert store_failure(store, earlier, always=True) == done  # somebody made the run meanwhile
    assert store_failure(store, failed, always=True) == store.find(done.spec) == failed


def test_a_record_that_cannot_be_written_leaves_a_state_that_says_so(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    step = plan.steps[1]
    (tmp_path / "results").write_text("a file")
    folder.planned(step.step_id).write_text(record_of(step).model_dump_json())
    found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
    assert found.status == "failed" and found.record is None
    assert found.reason.startswith("took too long; its record is missing: cannot write ")


def test_a_worker_killed_before_it_knew_what_to_record_leaves_its_state(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    folder.planned(plan.steps[1].step_id).write_text("{")
    for step in plan.steps:
        found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
        assert (found.status, found.reason, found.record) == ("failed", "took too long", None)


def test_a_sweep_that_cannot_be_read_ends_the_workers_with_one_line(tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    (folder.root / "sweep.json").write_text("{}")
    started = LocalExecutor().start(folder, "cpu")
    with pytest.raises(MmulbenchError, match=r"^cannot read the sweep .*give the same sweep command again$"):
        follow(started, lambda: None)


def test_a_supervisor_ends_on_sigterm(tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    (one,) = LocalExecutor().start(folder, "cpu")
    deadline = time.monotonic() + 60
    while not folder.is_attended:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(20) == 0
    assert not folder.is_attended


def test_threads_and_gpus_are_shared(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    shares = [share(number, 3, "auto") for number in range(3)]
    assert [one["OMP_NUM_THREADS"] for one in shares] == [str(max(1, len(os.sched_getaffinity(0)) // 3))] * 3
    assert [one["CUDA_VISIBLE_DEVICES"] for one in shares] == ["2", "5", "2"]
    assert "CUDA_VISIBLE_DEVICES" not in share(0, 2, "cuda:1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES" not in share(0, 2, "auto")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert share(0, 16, "cpu") == {"OMP_NUM_THREADS": "3"}
