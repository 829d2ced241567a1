"""Local workers: started, followed, ended; what each may use of the machine."""

from __future__ import annotations

import os
import signal

import pytest
from sweep_toys import PATIENCE, make_sweep, until

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.local import LocalExecutor, follow, share


@pytest.mark.slow
def test_a_sweep_that_cannot_be_read_ends_the_workers_with_one_line(tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    (folder.root / "sweep.json").write_text("{}")
    started = LocalExecutor().start(folder, "cpu")
    with pytest.raises(MmulbenchError, match=r"^cannot read the sweep .*give the same sweep command again$"):
        follow(started, lambda: None)


def test_a_supervisor_ends_on_sigterm(tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    (one,) = LocalExecutor().start(folder, "cpu")
    until(lambda: folder.is_attended, "a supervisor")
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(PATIENCE) == 0
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
