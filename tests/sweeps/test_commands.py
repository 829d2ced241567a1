"""Starting a sweep: what is printed, what the executor gets, and which exit code its handover gives."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from sweep_toys import state

from mmulbench.errors import UsageError
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps import commands
from mmulbench.sweeps.choose_executor import ExecutorOptions
from mmulbench.sweeps.executor import Executor, Handover, Selection
from mmulbench.sweeps.grid import checked_grid

GRID = checked_grid({"task": "emoji", "method": "original", "backbone": "albef:tiny"}, "file")


class WritingExecutor(Executor):
    """Writes for each step how it ended."""

    name: Literal["writing"] = "writing"
    statuses: tuple[str, ...] = ("done", "done")
    handover: Handover = Handover.ENDED
    is_installed: bool = True

    def require(self) -> None:
        if not self.is_installed:
            raise UsageError("run pip install")

    def run(self, selection: Selection, *, quiet: bool) -> Handover:
        for step, status in zip(selection.chosen.steps, self.statuses, strict=False):
            selection.folder.write_state(step.step_id, state(status))
        return self.handover


@pytest.fixture
def sweep(tmp_path):
    """Starts the sweep of one run, which needs one original."""
    folders = {f"{name}_dir": tmp_path / name for name in ("data", "results", "cache", "tuned")}
    options = RunOptions(device="cpu", plugins=(), reference=False, **folders)

    def start(executor: Executor, *, dry_run: bool = False, as_json: bool = True) -> int:
        return commands.sweep(
            GRID, options, tmp_path / "sweeps", executor, "a command", dry_run=dry_run, as_json=as_json
        )

    return start


@pytest.mark.parametrize(
    ("statuses", "handover", "code"),
    [
        (("done", "done"), Handover.ENDED, 0),
        (("done", "failed"), Handover.ENDED, 1),
        (("done",), Handover.ENDED, 1),
        (("failed",), Handover.STARTED, 0),
        (("failed",), Handover.SUBMITTED, 0),
        (("done",), Handover.UNCHANGED, 0),
        (("failed",), Handover.UNCHANGED, 1),
    ],
)
def test_the_exit_code_says_whether_something_went_wrong(statuses, handover, code, sweep, capsys):
    assert sweep(WritingExecutor(statuses=statuses, handover=handover)) == code
    shown = capsys.readouterr()
    assert shown.err.endswith(": 2 steps; see mmulbench status\n")
    assert bool(shown.out) == (handover is not Handover.STARTED)


def test_a_sweep_that_is_given_again_goes_on(sweep, capsys):
    sweep(WritingExecutor(statuses=("done",)))
    first = json.loads(capsys.readouterr().out)
    assert first["counts"] == {"done": 1, "queued": 1}
    assert sweep(WritingExecutor()) == 0
    shown = capsys.readouterr()
    assert ", which was started before: 2 steps" in shown.err
    assert json.loads(shown.out)["sweep"] == first["sweep"]


def test_a_dry_run_makes_and_stores_nothing(sweep, tmp_path, capsys):
    assert sweep(WritingExecutor(), dry_run=True, as_json=False) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 original, 1 run; ")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_installed_is_said_before_anything_is_written(sweep, tmp_path, capsys):
    executor = WritingExecutor(is_installed=False)
    with pytest.raises(UsageError, match="run pip install"):
        sweep(executor)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")
    assert sweep(executor, dry_run=True) == 0


def test_a_retry_without_a_sweep_says_so(tmp_path):
    with pytest.raises(UsageError, match="there are no sweeps in"):
        commands.retry(tmp_path, None, ExecutorOptions(), only=None, as_json=True)
