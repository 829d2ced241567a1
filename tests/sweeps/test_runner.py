"""The steps of a sweep, made with a real task and a small backbone."""

from __future__ import annotations

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.loggers.logged import Logged
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.runs.pipeline import StoredRecord
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.debug import DebugExecutor
from mmulbench.sweeps.executor import Handover, Selection
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.killed_step import KEPT
from mmulbench.sweeps.plan import Plan
from mmulbench.sweeps.runner import Runner
from mmulbench.sweeps.store_sweep import define_sweep, plan_sweep, prepare_sweep
from mmulbench.sweeps.worker import StepOutcome

pytestmark = pytest.mark.slow

GRID = checked_grid(
    {
        "task": "emoji",
        "method": ["mmul", "original"],
        "backbone": "albef:tiny",
        "set": ["task.limit=40", "recipe.epochs=1", "mmul.epochs=1"],
    },
    "file",
)


@pytest.fixture
def options(tmp_path) -> RunOptions:
    folders = {f"{name}_dir": tmp_path / name for name in ("data", "results", "cache", "tuned")}
    return RunOptions(device="cpu", plugins=(), **folders)


@pytest.fixture
def plan(options) -> Plan:
    return plan_sweep(GRID.jobs(), options)


def test_a_run_that_cannot_be_made_gets_its_record_and_nothing_is_trained(plan, options, tmp_path):
    runner, planned = Runner(options, Progress()), tmp_path / "planned"
    (original,) = plan.of("original")
    with pytest.raises(MmulbenchError, match=r"^it is blocked$"):
        runner.make(original, planned, again=False, blocked="it is blocked")
    outcome = runner.make(plan.of("run")[0], planned, again=False, blocked="it is blocked")
    assert outcome.record is not None and outcome.path is not None
    assert (outcome.record.status, outcome.record.reason) == ("failed", "it is blocked")
    assert RunResult.model_validate_json(outcome.path.read_bytes()) == outcome.record
    assert not planned.exists() and not (options.cache_dir / "original").exists()


def test_a_run_that_cannot_be_made_leaves_the_record_that_is_there(plan, options, tmp_path):
    step, planned = plan.of("run")[0], tmp_path / "planned"

    def blocked(overwrite: str) -> StepOutcome:
        wanted = options.model_copy(update={"overwrite": overwrite})
        return Runner(wanted, Progress()).make(step, planned, again=False, blocked="it is blocked")

    made = Runner(options, Progress()).make(step, planned, again=False, blocked=None)
    done = made.record
    assert done is not None and made.path is not None
    assert done.status == "done"
    assert blocked("failed").record == done  # nothing was to be made
    kept = blocked("always").record
    assert kept is not None
    assert (kept.status, kept.reason) == ("failed", f"it is blocked; {KEPT}")
    assert RunResult.model_validate_json(made.path.read_bytes()) == done


@pytest.mark.parametrize("status", ["failed", "not_applicable"])
def test_a_step_whose_try_was_worse_than_its_record_has_failed(status, plan, options, tmp_path, monkeypatch):
    step, planned = plan.of("run")[0], tmp_path / "planned"
    blocked = Runner(options, Progress()).make(step, planned, again=False, blocked="it is blocked")
    assert blocked.record is not None and blocked.path is not None
    worse = blocked.record.model_copy(update={"status": status, "reason": "no room"})
    stored = StoredRecord(worse, blocked.path, is_new=True, kept=blocked.record)
    monkeypatch.setattr("mmulbench.sweeps.runner.execute", lambda *_: stored)
    made = Runner(options, Progress()).make(step, planned, again=False, blocked=None).record
    assert made is not None
    assert (made.status, made.reason) == ("failed", f"{status}: no room; {KEPT}")


def test_all_steps_are_made_in_this_process(plan, options, tmp_path):
    sweep = define_sweep(GRID.jobs(), plan, options, "a command")
    folder = prepare_sweep(sweep.sweep_id, options, tmp_path / "sweeps")
    folder.create(sweep)
    selection = Selection(folder, options, plan, plan)
    assert DebugExecutor().run(selection, quiet=True) is Handover.ENDED
    states = folder.states()
    assert {state.status for state in states.values()} == {"done"}
    assert [states[step.step_id].record is not None for step in plan.steps] == [False, False, True, True]
    assert "begins, attempt 1: mmul on emoji" in folder.log(plan.of("run")[0].step_id).read_text()
    assert not list((folder.root / "planned").iterdir())


@pytest.mark.slow
def test_models_that_runs_share_have_logs_of_their_own(options, tmp_path):
    logged = options.model_copy(update={"loggers": ("csv",), "logger_dir": tmp_path / "logged"})
    runner = Runner(logged, Progress())
    steps = plan_sweep(GRID.jobs(), logged)
    (original,) = steps.of("original")
    runner.make(original, tmp_path / "planned", again=False, blocked=None)
    made = runner.make(steps.of("run")[0], tmp_path / "planned", again=False, blocked=None).record
    assert isinstance(runner._progress, Logged)
    runner._progress.close()
    files = {path.name: path.read_text() for path in (tmp_path / "logged" / "csv").iterdir()}
    shared, own = f"emoji-original-42-{original.step_id}.csv", f"emoji-mmul-42-{made.run_id}.csv"
    assert files.keys() == {shared, own}
    assert ",original,1,loss," in files[shared] and files[shared].endswith("record,,status,done\n")
    assert ",original,1," not in files[own] and ",unlearn,1,loss," in files[own]
