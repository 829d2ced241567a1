"""What a sweep keeps on disk: a sweep that an earlier version stored is read, and written as it was."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.plan import STEP_KINDS, Step, make_plan
from mmulbench.sweeps.slurm_jobs import read_jobs, write_jobs
from mmulbench.sweeps.state import StepState, this_worker, worker_name
from mmulbench.sweeps.store_sweep import define_sweep

STORED = Path(__file__).parent / "stored" / "3f233fa2"
"""A sweep of three runs, each judged by two shadow models, as it was stored in November 2026."""

GRID = {
    "task": "emoji",
    "method": ["mmul", "retrain"],
    "seed": [1],
    "backbone": "albef:tiny",
    "forget_size": [0.05],
    "set": ["recipe.epochs=1", "lr=0.1"],
    "methods": {"mmul": [{"alpha": 1}, {"alpha": 2}]},
}


@pytest.fixture
def folder(tmp_path) -> SweepFolder:
    shutil.copytree(STORED, tmp_path / STORED.name)
    return SweepFolder(tmp_path / STORED.name)


def test_a_stored_sweep_is_read_and_written_as_it_was(folder):
    before = (folder.root / "sweep.json").read_bytes()
    sweep = folder.read()
    (folder.root / "sweep.json").unlink()
    assert folder.create(sweep)
    assert (folder.root / "sweep.json").read_bytes() == before
    assert sweep.sweep_id == folder.sweep_id


def test_steps_of_a_stored_sweep_have_the_ids_that_a_plan_of_its_runs_gives(folder):
    plan = make_plan(checked_grid(GRID, "file").jobs(), reference=True, shadows=2)
    assert folder.read().plan == plan
    assert [len(plan.of(kind)) for kind in STEP_KINDS] == [3, 3, 3, 4, 3]


def test_options_of_a_stored_sweep_give_its_id(folder):
    sweep = folder.read()
    assert sweep.options.overwrite == "always" and sweep.options.shadows == 2
    assert str(sweep.options.plugins[0]) == "/home/ada/unlearning/my_method.py"
    again = define_sweep(checked_grid(GRID, "file").jobs(), sweep.plan, sweep.options, "again")
    assert (again.sweep_id, again.options) == (sweep.sweep_id, sweep.options)


def test_options_that_are_none_are_said_in_one_line(folder):
    path = folder.root / "sweep.json"
    path.write_text(path.read_text().replace('"shadows": 2', '"shadows": "many"'))
    with pytest.raises(MmulbenchError, match=r"^cannot read the sweep .*: options\.shadows: .* is damaged"):
        folder.read()


def test_states_of_a_stored_sweep_are_read(folder):
    first, second, last = (folder.read().plan.steps[number].step_id for number in (0, 1, -1))
    states = folder.states()
    assert {name: (state.status, state.attempts) for name, state in states.items()} == {
        first: ("done", 1),
        second: ("failed", 1),
        last: ("done", 2),
    }
    assert states[second].killed and states[second].reason == "took longer than --timeout 600 s"
    assert states[last].record.startswith("/home/ada/")


def test_slurm_jobs_of_a_stored_sweep_are_read_and_written_as_they_were(folder):
    before = (folder.root / "slurm.json").read_bytes()
    jobs = read_jobs(folder)
    assert jobs is not None
    assert [task.array for task in jobs.tasks] == ["12", "13"]
    write_jobs(folder, jobs)
    assert (folder.root / "slurm.json").read_bytes() == before
    # What was submitted before the cluster's name was kept.
    (folder.root / "slurm.json").write_bytes(before.replace(b' "cluster": "ci",\n', b""))
    assert read_jobs(folder) == jobs.model_copy(update={"cluster": ""})


@pytest.mark.parametrize(
    "wrong", [{"step_id": "../../../out"}, {"needs": ("x",)}, {"shadow": -1}, {"kind": "copy"}, {"more": 1}]
)
def test_a_step_that_is_none_is_refused(wrong, folder):
    given = folder.read().plan.steps[0].model_dump()
    with pytest.raises(ValidationError):
        Step.model_validate({**given, **wrong})


def test_a_step_that_waits_again_forgets_how_it_ended():
    began = datetime(2026, 11, 20, tzinfo=UTC)
    ended = StepState(status="failed", attempts=2, worker="here:1", started=began, reason="x", killed=True)
    again = ended.queued("because")
    assert (again.status, again.attempts, again.reason, again.killed) == ("queued", 2, "because", False)
    assert again.ended >= again.started == began


def test_a_worker_is_named_after_its_machine_process_and_slurm_job(monkeypatch):
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
        monkeypatch.delenv(name, raising=False)
    alone = this_worker()
    assert alone.rpartition(":")[0] == worker_name(1).removesuffix(":1")
    monkeypatch.setenv("SLURM_JOB_ID", "14")
    assert this_worker() == f"{alone}, Slurm job 14"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    assert this_worker() == f"{alone}, Slurm job 12_2"
