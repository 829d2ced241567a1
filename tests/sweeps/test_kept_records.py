"""A step whose record is gone or damaged is not done."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sweep_toys import make_sweep, record_of, state

from mmulbench.file_digests import Stamp
from mmulbench.records.record_files import read_file
from mmulbench.records.store import ResultsStore
from mmulbench.sweeps import kept_records
from mmulbench.sweeps.commands import _queue_again
from mmulbench.sweeps.kept_records import lost_records, with_lost_records
from mmulbench.sweeps.status import sweep_status


@pytest.fixture
def sweep(tmp_path):
    """A sweep whose two runs are done, and their files."""
    folder, plan = make_sweep(tmp_path, "works", "works_too")
    store, paths = ResultsStore(tmp_path / "results"), []
    for step in plan.steps:
        path = store.write(record_of(step)) if step.kind == "run" else None
        folder.write_state(step.step_id, state("done", record=str(path) if path else None))
        paths += [path] if path else []
    return folder, plan, paths


def test_a_sweep_with_all_its_records_is_done(sweep):
    folder, plan, _ = sweep
    assert lost_records(folder.states()) == {}
    assert sweep_status(folder, plan.steps).counts == {"done": 3}


def test_a_cut_record_and_a_lost_one_are_in_trouble_and_made_again(sweep):
    folder, plan, (cut, gone) = sweep
    assert sweep_status(folder, plan.steps).counts == {"done": 3}
    cut.write_bytes(cut.read_bytes()[:200])
    gone.unlink()
    found = sweep_status(folder, plan.steps)
    assert found.counts == {"done": 1, "failed": 2}
    first, second = [one.state.reason for one in found.trouble]
    assert first.startswith(f"its record {cut} cannot be used: not valid JSON: ")
    assert second == f"its record {gone} is gone"
    _queue_again(folder, plan, ())
    assert sorted(one.status for one in folder.states().values()) == ["done", "queued", "queued"]


def test_a_file_is_read_again_when_it_has_changed(sweep):
    folder, _, (path, _) = sweep
    good = path.read_bytes()
    for content, lost in ((good, 0), (good[:-9], 1), (good, 0)):
        path.write_bytes(content)
        assert len(lost_records(folder.states())) == lost


def test_a_file_that_changes_within_a_tick_of_the_clock_is_read_again(sweep):
    folder, _, (path, _) = sweep
    good, times = path.read_bytes(), path.stat()
    stamp = Stamp.of(times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stamp, "of", lambda _: stamp)
        for content, lost in ((good, 0), (good[:-9] + b"x" * 9, 1), (good, 0)):
            path.write_bytes(content)
            assert len(lost_records(folder.states())) == lost


def test_a_file_that_has_settled_is_looked_at_once(sweep, monkeypatch):
    folder, _, _ = sweep
    now, looked = time.time_ns(), list[Path]()
    monkeypatch.setattr("mmulbench.sweeps.kept_records.time.time_ns", lambda: now + 10**11)
    monkeypatch.setattr(kept_records, "_is_whole", lambda path: not looked.append(path))
    for _ in range(2):
        assert lost_records(folder.states()) == {}
    assert len(looked) == 2


def test_records_that_are_whole_are_not_read(sweep, monkeypatch):
    folder, _, (path, other) = sweep
    read: list[Path] = []
    monkeypatch.setattr(kept_records, "read_file", lambda path: read.append(path) or read_file(path))
    assert lost_records(folder.states()) == {}
    text = path.read_text()
    cut = next(place for place in range(len(text) // 2, len(text)) if text[place:].startswith("}\n"))
    path.write_text(text[: cut + 2])
    assert len(lost_records(folder.states())) == len(read) == 1 and other not in read


def test_a_step_that_failed_keeps_its_reason(sweep):
    _, plan, (path, _) = sweep
    path.unlink()
    os.mkfifo(path)
    step_id = plan.of("run")[0].step_id
    found = state("failed", record=str(path), reason="no room")
    assert with_lost_records({step_id: found}) == {step_id: found}
    fault = f"its record {path} cannot be used: not a regular file"
    assert lost_records({step_id: found}) == {step_id: fault}
    assert lost_records({step_id: state("queued", record=str(path))}) == {}
