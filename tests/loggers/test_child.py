"""The process of a logger, from standard input to its files."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mmulbench.loggers.child import take

BEGIN, EPOCH = ["begin", "run", {"seed": 1}], ["epoch", "retrain", 1, {"loss": 0.5}]
END = ["end", "done", {"test": 0.25}]


def values(folder, name="run"):
    lines = (folder / f"{name}.csv").read_text().splitlines()[1:]
    return [line.split(",")[1:] for line in lines]


def lines(*events):
    return [json.dumps(event) + "\n" for event in events]


def test_events_reach_the_logger(tmp_path):
    take("csv", tmp_path, lines(BEGIN, EPOCH, END))
    assert values(tmp_path)[1:] == [
        ["retrain", "1", "loss", "0.5"],
        ["record", "", "status", "done"],
        ["record", "", "test", "0.25"],
    ]


def test_what_has_no_end_was_broken_off(tmp_path):
    take("csv", tmp_path, lines(EPOCH, BEGIN, EPOCH, ["begin", "next", {}], EPOCH))
    for name in ("run", "next"):
        assert values(tmp_path, name)[-1] == ["record", "", "status", "broken off"]


@pytest.mark.slow
def test_a_logger_that_fails_says_why_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "mmulbench.loggers.child", "csv", str(tmp_path / "file")]
    done = subprocess.run(command, input="".join(lines(BEGIN)), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr == ""
    assert done.stdout.startswith("FileExistsError: ") and done.stdout.count("\n") == 1
