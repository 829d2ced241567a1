"""What is asked for: options of runs, with and without what says which runs are made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from mmulbench.runs.request import DEFAULT_SEED, Request, RunOptions


def test_a_request_is_read_as_it_was_stored():
    request = Request(task="emoji", methods=("mmul",), seeds=(1, 2), plugins=(Path("/a/b.py"),), shadows=5)
    assert Request.model_validate_json(request.model_dump_json()) == request


def test_options_of_a_request_leave_out_which_runs_are_made():
    options = Request(task="emoji", device="cpu", untuned=True).run_options()
    assert type(options) is RunOptions
    assert (options.device, options.untuned) == ("cpu", True)
    assert Request(**dict(options), task="emoji").seeds == (DEFAULT_SEED,)


def test_folders_are_those_of_the_environment_unless_given(monkeypatch):
    monkeypatch.setenv("MMULBENCH_RESULTS", "/somewhere")
    assert RunOptions().results_dir == Path("/somewhere")
    assert RunOptions(results_dir=Path("here")).results_dir == Path("here")


def test_options_that_are_none_are_refused():
    with pytest.raises(ValidationError, match="overwrite"):
        RunOptions.model_validate({"overwrite": "sometimes"})
    with pytest.raises(ValidationError, match="colour"):
        RunOptions.model_validate({"colour": "red"})


def test_that_scores_are_kept_is_stored_only_where_they_are_not():
    """Sweeps from before there was a choice keep their ids."""
    assert "units" not in RunOptions().model_dump()
    without = RunOptions(units=False)
    assert RunOptions.model_validate_json(without.model_dump_json()) == without != RunOptions()


def test_loggers_are_stored_only_where_there_are_any():
    assert not {"loggers", "logger_dir"} & RunOptions().model_dump().keys()
    logged = RunOptions(loggers=("csv",), logger_dir=Path("there"))
    assert RunOptions.model_validate_json(logged.model_dump_json()) == logged


def test_requests_need_no_torch():
    program = "import sys; import mmulbench.runs.request; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
