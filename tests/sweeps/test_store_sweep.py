"""A sweep is checked whole before it is stored; the same runs with the same options are the same sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.study import study_path
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.plan import STEP_KINDS
from mmulbench.sweeps.store_sweep import define_sweep, plan_sweep, prepare_sweep

GRID = {"task": "emoji", "method": ["mmul", "npo"], "backbone": "albef:tiny"}


@pytest.fixture
def options(tmp_path) -> RunOptions:
    folders = {f"{name}_dir": tmp_path / name for name in ("data", "results", "cache", "tuned")}
    return RunOptions(device="cpu", plugins=(), **folders)


def jobs(**content):
    return checked_grid({**GRID, **content}, "file").jobs()


def test_a_plan_has_what_the_options_ask_for(options):
    plain = plan_sweep(jobs(), options)
    assert [len(plain.of(kind)) for kind in STEP_KINDS] == [1, 1, 0, 0, 2]
    alone = plan_sweep(jobs(), options.model_copy(update={"reference": False}))
    assert [len(alone.of(kind)) for kind in STEP_KINDS] == [1, 0, 0, 0, 2]
    judged = plan_sweep(jobs(), options.model_copy(update={"shadows": 2}))
    assert [len(judged.of(kind)) for kind in STEP_KINDS] == [3, 3, 3, 4, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"method": "mmull"},
            "mmull on emoji, albef:tiny, seed 42: unknown method 'mmull'; did",
        ),
        ({"task": "emojy"}, "mmul on emojy, albef:tiny, seed 42: unknown task 'emojy'; did you mean emoji"),
        ({"set": ["npo.rl=1"]}, "npo on emoji, albef:tiny, seed 42, npo.rl=1: --set rl: "),
        (
            {"forget_size": [5, "many"]},
            "mmul on emoji, albef:tiny, seed 42, forget size many: --forget-",
        ),
    ],
)
def test_wrong_names_and_values_name_the_run(content, message, options):
    with pytest.raises(UsageError) as error:
        plan_sweep(jobs(**content), options)
    assert str(error.value).startswith(message)


def test_a_study_that_no_run_can_use_is_said_once(options):
    path = study_path(options.tuned_dir, "emoji", "albef:tiny", "mmul")
    path.parent.mkdir(parents=True)
    path.write_text('{"spec": {"metric_version": "1", "study_version": 1}}')
    lines = []
    plan_sweep(jobs(seed=[1, 2], set=["npo.lr=0.1"]), options, lines.append)
    (line,) = lines
    assert line.startswith("left aside a study that is of metrics 1, ") and line.endswith(f": {path}")


def test_shadow_models_need_the_reference(options):
    with pytest.raises(UsageError, match="--shadows compares with retrained models"):
        plan_sweep(jobs(), options.model_copy(update={"shadows": 2, "reference": False}))


def test_the_same_runs_with_the_same_options_are_the_same_sweep(options):
    plan = plan_sweep(jobs(), options)

    def id_with(**changes):
        return define_sweep(jobs(), plan, options.model_copy(update=changes), "a command").sweep_id

    assert id_with() == id_with(checkpoint_seconds=1.0)
    assert len({id_with(), id_with(untuned=True), id_with(results_dir=Path("elsewhere"))}) == 3
    assert define_sweep(jobs(seed=1), plan, options, "a command").sweep_id != id_with()


def test_a_sweep_is_stored_where_its_folders_can_be_written(options, tmp_path):
    sweep = define_sweep(jobs(), plan_sweep(jobs(), options), options, "a command")
    folder = prepare_sweep(sweep.sweep_id, options, tmp_path / "sweeps")
    assert folder.root == tmp_path / "sweeps" / sweep.sweep_id
    assert folder.create(sweep) and folder.read() == sweep
    assert options.results_dir.is_dir() and options.cache_dir.is_dir()
    (tmp_path / "file").touch()
    wrong = options.model_copy(update={"cache_dir": tmp_path / "file"})
    with pytest.raises(MmulbenchError, match="choose another folder with --cache-dir"):
        prepare_sweep(sweep.sweep_id, wrong, tmp_path / "sweeps")


def test_models_that_are_to_be_kept_make_another_sweep_since_its_steps_are_made_again(options, tmp_path):
    def id_of(**more: object) -> str:
        given = options.model_copy(update=more)
        return define_sweep(jobs(), plan_sweep(jobs(), given), given, "mmulbench sweep").sweep_id

    kept = [id_of(save_models=tmp_path / "m", keep=keep) for keep in ("best", "all")]
    assert len({id_of(), *kept}) == 3
    assert id_of(keep="all") == id_of() == id_of(save_models=None)
    assert "keep" not in options.model_dump()


def test_a_logger_that_is_not_there_is_refused_before_anything_is_planned(options):
    given = options.model_copy(update={"loggers": ("csw",)})
    with pytest.raises(UsageError, match="no logger 'csw'; did you mean csv"):
        plan_sweep(jobs(), given)


def test_the_best_model_is_not_known_without_retrain(options, tmp_path):
    given = options.model_copy(update={"save_models": tmp_path / "m", "reference": False})
    with pytest.raises(UsageError, match="with --no-reference, give --keep all"):
        plan_sweep(jobs(), given)
    assert plan_sweep(jobs(), given.model_copy(update={"keep": "all"})).steps
