"""Events go to another process; a run waits for it at the end alone, and not for ever."""

from __future__ import annotations

import time

import pytest

from mmulbench.loggers import logger_process
from mmulbench.loggers.logger_process import LoggerFailed, LoggerProcess


def until(condition):
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to be")


@pytest.mark.slow
def test_all_that_is_sent_is_written_before_it_is_closed(tmp_path):
    process = LoggerProcess("csv", tmp_path)
    process.send("begin", "run", {})
    for number in range(2000):  # more than a pipe holds
        process.send("epoch", "retrain", number, {"loss": 0.5, "validation": 0.25})
    process.close()
    assert len((tmp_path / "run.csv").read_text().splitlines()) == 1 + 4000 + 1


@pytest.mark.slow
def test_a_failure_is_told_with_the_next_event_or_at_the_end(tmp_path):
    (tmp_path / "file").touch()
    early, late = (LoggerProcess("csv", tmp_path / "file") for _ in range(2))
    for process in (early, late):
        process.send("begin", "run", {})
    until(lambda: early._process.poll() is not None)
    with pytest.raises(LoggerFailed, match="FileExistsError"):
        early.send("epoch", "retrain", 1, {})
    with pytest.raises(LoggerFailed, match="FileExistsError"):
        late.close()


@pytest.mark.slow
def test_one_that_hangs_is_ended(tmp_path, monkeypatch):
    (tmp_path / "hangs.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(logger_process, "CHILD", "hangs")
    process = LoggerProcess("csv", tmp_path, patience=0.5)
    for number in range(20_000):  # nobody reads them, and nobody waits
        process.send("epoch", "retrain", number, {"loss": 0.5})
    with pytest.raises(LoggerFailed, match=r"did not finish within 0.5 s and was ended"):
        process.close()
    assert process._process.returncode is not None


def test_a_process_that_cannot_start_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    with pytest.raises(LoggerFailed, match="cannot be started: No such file"):
        LoggerProcess("csv", tmp_path)
