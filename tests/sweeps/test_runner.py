"""The steps of a sweep, made with a real task and a small backbone."""

from __future__ import annotations

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.debug import DebugExecutor
from mmulbench.sweeps.executor import Handover, Selection
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.plan import Plan
from mmulbench.sweeps.runner import Runner
from mmulbench.sweeps.store_sweep import define_sweep, plan_sweep, prepare_sweep

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
