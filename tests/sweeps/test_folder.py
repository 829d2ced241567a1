"""A sweep on disk: states, claims, what is lost or damaged, and which sweep is meant."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import time

import pytest
from nodes import LEASE, PATIENCE, start, wait_for
from sweep_toys import ORIGINAL, make_sweep, state

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.file_digests import Stamp
from mmulbench.sweeps.folder import LOST_SECONDS, SweepFolder, find_sweep


@pytest.fixture
def sweep(tmp_path):
    return make_sweep(tmp_path, "works", "raises")


def age(path, seconds=2 * LOST_SECONDS):
    os.utime(path, (time.time() - seconds,) * 2)


def test_what_is_written_is_read(sweep):
    folder, plan = sweep
    assert folder.read().plan == plan
    assert folder.states() == {} and folder.state(ORIGINAL) is None
    done = state("done", record="/some/where.json")
    folder.write_state(ORIGINAL, done)
    assert folder.state(ORIGINAL) == done
    assert folder.states() == {ORIGINAL: done}
    other = SweepFolder(folder.root)
    other.write_state(ORIGINAL, done.queued("because"))
    assert folder.states()[ORIGINAL].status == "queued"


def test_a_state_replaced_within_a_tick_of_the_clock_is_read_again(sweep, monkeypatch):
    folder, _ = sweep
    folder.write_state(ORIGINAL, state("running"))
    stamp = Stamp.of((folder.root / "state" / f"{ORIGINAL}.json").stat())
    monkeypatch.setattr(Stamp, "of", lambda _: stamp)
    folder.states()
    SweepFolder(folder.root).write_state(ORIGINAL, state("done"))
    assert folder.states()[ORIGINAL].status == "done"


def test_a_state_that_has_settled_is_read_once(sweep, monkeypatch):
    folder, _ = sweep
    now, read = time.time_ns(), list[str]()
    monkeypatch.setattr("mmulbench.sweeps.folder.time.time_ns", lambda: now + 10**11)
    stored = folder._stored_state
    monkeypatch.setattr(folder, "_stored_state", lambda name: read.append(name) or stored(name))
    folder.write_state(ORIGINAL, state("done"))
    assert [folder.states()[ORIGINAL].status for _ in range(2)] == ["done", "done"]
    assert read == [ORIGINAL]


def test_a_sweep_is_written_once_and_a_damaged_one_again(sweep):
    folder, plan = sweep
    stored = folder.read()
    assert not folder.create(stored.model_copy(update={"command": "another"}))
    assert folder.read() == stored
    (folder.root / "sweep.json").write_text((folder.root / "sweep.json").read_text()[:-20])
    with pytest.raises(MmulbenchError, match=r"^cannot read the sweep .*sweep\.json: .* is damaged or of an"):
        folder.read()
    assert folder.create(stored)
    assert folder.read().plan == plan


def test_a_step_that_would_name_a_file_elsewhere_is_refused(sweep):
    folder, _ = sweep
    path = folder.root / "sweep.json"
    path.write_text(path.read_text().replace(ORIGINAL, "../../../out"))
    with pytest.raises(MmulbenchError, match="String should match pattern"):
        folder.read()


def test_a_damaged_state_waits_to_be_done_again(sweep):
    folder, _ = sweep
    folder.write_state(ORIGINAL, state("done"))
    (folder.root / "state" / f"{ORIGINAL}.json").write_text('{"status": "do')
    assert folder.state(ORIGINAL) is None and folder.states() == {}


def test_a_step_that_is_not_touched_any_more_is_lost(sweep):
    folder, _ = sweep
    with folder.beating(ORIGINAL):
        folder.write_state(ORIGINAL, state())
        assert folder.state(ORIGINAL).status == folder.states()[ORIGINAL].status == "running"
        age(folder.root / "state" / f"{ORIGINAL}.beat")
        assert folder.state(ORIGINAL).status == folder.states()[ORIGINAL].status == "lost"
        assert "elsewhere:1 was not heard of" in folder.state(ORIGINAL).reason
    assert list((folder.root / "state").glob("*.beat")) == []


def test_a_step_is_not_lost_by_a_clock_that_is_ahead(sweep, monkeypatch):
    folder, _ = sweep
    true = time.time()
    monkeypatch.setattr(time, "time", lambda: true + 2 * LOST_SECONDS)
    with folder.beating(ORIGINAL), folder.attended():
        folder.write_state(ORIGINAL, state())
        assert folder.state(ORIGINAL).status == "running"
        assert folder.is_attended


def claim_for_ever(root):
    with SweepFolder(root).claim(ORIGINAL) as mine:
        assert mine
        (root / "claimed").touch()
        time.sleep(60)


POLL = 0.05


def take_when_free(root):
    """Take a claim when it is free, and write how long that took and how often it was tried."""
    folder, began = SweepFolder(root), time.monotonic()
    for tries in itertools.count(1):
        with folder.claim(ORIGINAL) as mine:
            if mine:
                (root / "took.part").write_text(f"{time.monotonic() - began} {tries}")
                (root / "took.part").replace(root / "took")
                return
        time.sleep(POLL)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_claim_lapses_when_another_node_is_not_heard_of(sweep, how):
    folder, _ = sweep
    first = start("node-a", claim_for_ever, folder.root)
    wait_for(folder.root / "claimed")
    assert first.pid is not None
    os.kill(first.pid, how)
    second = start("node-b", take_when_free, folder.root, exchange=False)
    wait_for(folder.root / "took")
    second.join(PATIENCE)
    first.kill()
    assert second.exitcode == 0
    seconds, tries = map(float, (folder.root / "took").read_text().split())
    assert seconds >= LEASE and tries <= 2 + LEASE / POLL  # a busy machine takes longer, and tries less often


def test_what_killed_workers_left_goes_when_the_sweep_does(sweep):
    folder, _ = sweep
    workers = folder.root / "workers"
    for name in (f"{socket.gethostname()}-4194305", "elsewhere-12.alive"):
        (workers / name).touch()
    with SweepFolder(folder.root).attended():
        folder.resume()
        assert len(list(workers.iterdir())) == 3
    age(workers / "elsewhere-12.alive")
    folder.resume()
    assert list(workers.iterdir()) == []


def test_a_step_is_held_by_one(sweep):
    folder, _ = sweep
    with folder.claim(ORIGINAL) as mine, SweepFolder(folder.root).claim(ORIGINAL) as too:
        assert (mine, too) == (True, False)
    with SweepFolder(folder.root).claim(ORIGINAL) as now_mine:
        assert now_mine


def test_resume_lets_wait_what_this_machines_dead_workers_left(sweep):
    folder, plan = sweep
    first, second, third = (step.step_id for step in plan.steps)
    here = f"{socket.gethostname()}:99999999"
    folder.write_state(first, state(worker=here))
    folder.write_state(second, state(worker="elsewhere:1"))
    folder.write_state(third, state(worker=here))
    folder.cancel()
    with SweepFolder(folder.root).claim(third):  # somebody makes it
        folder.resume()
    assert not folder.is_cancelled
    assert folder.state(first).status == "queued"
    assert [folder.state(one).worker for one in (second, third)] == ["elsewhere:1", here]
    assert "queued" not in (folder.state(second).status, folder.state(third).status)


def test_a_step_that_has_gone_on_is_not_queued_again(sweep):
    folder, _ = sweep
    failed = state("failed")
    folder.write_state(ORIGINAL, failed)
    with SweepFolder(folder.root).claim(ORIGINAL):
        folder.queue_again(ORIGINAL, failed)
    folder.queue_again(ORIGINAL, state("failed", attempts=2))
    assert folder.state(ORIGINAL) == failed
    folder.queue_again(ORIGINAL, failed, "again")
    assert (folder.state(ORIGINAL).status, folder.state(ORIGINAL).reason) == ("queued", "again")


def test_whether_somebody_works_on_it(sweep):
    folder, _ = sweep
    assert not folder.is_attended
    with folder.attended():
        assert folder.is_attended
        age(next((folder.root / "workers").glob("*.alive")))
        assert not folder.is_attended
    assert not folder.is_attended


def test_the_latest_sweep_is_the_one_that_was_started_last(tmp_path):
    with pytest.raises(UsageError, match=r"there are no sweeps in .*start one with mmulbench sweep"):
        find_sweep(tmp_path, None)
    stored = make_sweep(tmp_path, "works")[0].read()
    for number, name in enumerate(("aaaaaaaa", "bbbbbbbb")):
        other = SweepFolder(tmp_path / "sweeps" / name)
        other.create(stored)
        age(other.root / "sweep.json", 100 - number)
    (tmp_path / "sweeps" / "no_sweep").mkdir()
    age(tmp_path / "sweeps" / "1234abcd" / "sweep.json", 200)
    assert find_sweep(tmp_path / "sweeps", None).sweep_id == "bbbbbbbb"
    find_sweep(tmp_path / "sweeps", "aaaaaaaa").resume()
    assert find_sweep(tmp_path / "sweeps", None).sweep_id == "aaaaaaaa"
    with pytest.raises(UsageError, match=r"unknown sweep 'aaaaaaab' in .*did you mean aaaaaaaa"):
        find_sweep(tmp_path / "sweeps", "aaaaaaab")
    with pytest.raises(UsageError, match="unknown sweep"):
        find_sweep(tmp_path / "sweeps", "../sweeps/aaaaaaaa")


def test_a_folder_that_cannot_be_written_is_named(sweep, tmp_path):
    folder, _ = sweep
    (tmp_path / "file").touch()
    with pytest.raises(MmulbenchError, match=r"^cannot make .*choose another folder with --sweeps-dir$"):
        SweepFolder(tmp_path / "file" / "x").create(folder.read())
