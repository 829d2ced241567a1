from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import TINY, Bench, here

from mmulbench.records.study import Check, Study, read_study, study_path, write_study
from mmulbench.tuning.session import TuneRequest

SMALL = [*TINY, "-b", "albef:tiny", "--forget-size", "2", "--seed", "1", "--budget", "50"]
RUN = ["run", "-m", "mmul", *TINY, "-b", "albef:tiny", "--no-reference", "--json"]


@pytest.fixture(scope="module")
def tuner(ready, tmp_path_factory) -> Bench:
    """A bench with the filled cache, whose records are no other test's."""
    return Bench(tmp_path_factory.mktemp("tuner"), ready.cache)


@pytest.fixture(scope="module")
def tuned(tuner, tmp_path_factory):
    """Folder with a study of mmul on albef:tiny, made by the command."""
    folder = tmp_path_factory.mktemp("tuned")
    words = ["tune", "-m", "mmul", "-m", "delete", *SMALL, "--trials", "3", "--tuned-dir", str(folder)]
    done = tuner.run(*words)
    assert done.code == 0, done.err
    return folder, done


@pytest.fixture(scope="module")
def won(tuned, tmp_path_factory):
    """Folder with the same study, in which another trial than the default is best and proves itself."""
    folder = tmp_path_factory.mktemp("won")
    study = mmul_study(tuned[0])
    trials = [
        study.trials[0],
        study.trials[1].model_copy(update={"objective": 0.0, "by_seed": [0.0]}),
        *study.trials[2:],
    ]
    check = Check(default=0.2, best=0.1, do_nothing=0.3)
    write_mmul_study(folder, study.model_copy(update={"trials": trials, "check": check}))
    return folder


def write_mmul_study(folder, study: Study) -> None:
    write_study(study_path(folder, "emoji", "albef:tiny", "mmul"), study)


def mmul_study(folder) -> Study:
    found = read_study(study_path(folder, "emoji", "albef:tiny", "mmul"))
    assert found is not None
    return found


def test_tunes_and_says_what_it_found(tuned):
    folder, done = tuned
    study = mmul_study(folder)
    assert [trial.state for trial in study.trials] == ["done"] * 3
    assert {len(trial.by_seed) for trial in study.trials} == {1}
    assert study.trials[0].settings.items() <= study.spec.defaults.items()
    assert f"mmul: {study.chosen.objective:.4f} with " in done.err
    assert ("kept the default" in done.err) == ("default kept" in done.out) == study.kept_default
    assert "delete: not applicable: " in done.err
    assert "Distance to retrain on held-out data of emoji" in done.out and "3 done" in done.out
    assert "nothing" in done.out and f"{study.do_nothing[0]:.4f}" in done.out
    assert study.check is not None and study.spec.check_seed == 2
    assert [path.name for path in folder.rglob("*.json")] == ["mmul.json"]


def test_goes_on_where_it_was_and_makes_nothing_twice(tuned, tuner, tmp_path):
    folder, _ = tuned
    words = ["tune", "-m", "mmul", *SMALL, "--tuned-dir", str(tmp_path), "--json"]
    (first,) = json.loads(tuner.run(*words, "--trials", "2").out)
    assert first["trials"] == [trial.model_dump() for trial in mmul_study(folder).trials[:2]]
    assert first["tuning"]["done"] == 2 and first["tuning"]["objective"] is not None
    assert {"do_nothing", "check", "most_epochs", "over_budget", "settings"} <= set(first)
    tuner.run(*words, "--trials", "3")
    assert mmul_study(tmp_path).trials == mmul_study(folder).trials
    before = (tmp_path / "emoji/albef-tiny/mmul.json").stat().st_mtime_ns
    assert tuner.run(*words, "--trials", "3").code == 0
    assert (tmp_path / "emoji/albef-tiny/mmul.json").stat().st_mtime_ns == before


def test_another_study_in_the_same_place_stays_unless_it_is_to_be_replaced(tuner, tmp_path):
    words = ["tune", "-m", "finetune", *SMALL, "--tuned-dir", str(tmp_path), "--trials", "1"]
    path = study_path(tmp_path, "emoji", "albef:tiny", "finetune")
    assert "replaced" not in tuner.run(*words).err
    before = path.read_bytes()
    done = tuner.run(*words, "--budget", "40")
    assert done.code == 2
    assert f"the study {path} is of budget 50.0 (wanted: 40.0): --replace replaces it" in done.err
    assert path.read_bytes() == before
    done = tuner.run(*words, "--budget", "40", "--replace")
    assert done.code == 0 and f"the study {path}, which is another, is replaced" in done.err
    assert read_study(path).spec.budget == 40


def test_what_is_in_the_way_is_said_before_anything_is_tuned(tuner, tmp_path):
    tune = ["tune", *SMALL, "--tuned-dir", str(tmp_path), "--trials", "1"]
    tuner.run(*tune, "-m", "npo")
    done = tuner.run(*tune, "-m", "finetune", "-m", "npo", "--set", "recipe.lr=0.5")
    assert done.code == 2 and "npo.json is of recipe.lr " in done.err and "wanted: 0.5" in done.err
    assert [path.name for path in tmp_path.rglob("*.json")] == ["npo.json"]


def test_what_is_never_within_the_budget_is_said_once(tuner, tmp_path):
    words = ["tune", "-m", "finetune", "-m", "ssd", *SMALL, "--budget", "1e-6"]
    done = tuner.run(*words, "--tuned-dir", str(tmp_path))
    assert done.code == 0, done.err
    assert "finetune: N/A within the budget: a single epoch spends more than 1e-06 of what" in done.err
    assert "ssd: N/A within the budget: a run spends more than 1e-06 of what retraining does" in done.err
    for name in ("finetune", "ssd"):
        study = read_study(study_path(tmp_path, "emoji", "albef:tiny", name))
        assert study is not None and study.trials == [] and study.over_budget is not None
    run = [word.replace("mmul", "finetune") for word in RUN]
    ran = tuner.run(*run, "--seed", "5", "--tuned-dir", str(tmp_path))
    (record,) = ran.records
    assert record.tuning is not None and "N/A within the budget" in str(record.tuning.reason)
    assert "no trial on emoji with albef:tiny was within budget" in ran.err


def test_more_settings_to_search_get_more_trials():
    request = TuneRequest(task="emoji", data_dir=Path(), cache_dir=Path(), tuned_dir=Path())
    assert [request.trials_of(settings) for settings in (1, 3, 4, 6)] == [20, 20, 30, 30]
    assert request.model_copy(update={"trials": 5}).trials_of(6) == 5
    assert request.budget == 0.5


def test_runs_start_from_tuned_settings_and_say_so(won, tuner):
    folder, study = won, mmul_study(won)
    assert study.settings == study.trials[1].settings != study.trials[0].settings
    done = tuner.run(*RUN, "--seed", "5", "--tuned-dir", str(folder))
    (record,) = done.records
    assert "settings tuned on emoji with albef:tiny: mmul (--untuned takes the methods' own)" in done.err
    assert record.spec.config == {**study.spec.defaults, **study.settings}
    assert (record.tuning.study_id, record.tuning.trials) == (study.spec.study_id, 3)
    (own,) = tuner.run(*RUN, "--seed", "5", "--tuned-dir", str(folder), "--untuned").records
    assert own.spec.config == study.spec.defaults and own.tuning is None
    assert {own.origins[name] for name in study.spec.defaults} == {"default"}


def test_settings_on_top_of_a_study_are_said_to_be(won, tuner):
    study = mmul_study(won)
    epochs = 1 + int(str(study.settings["epochs"]))
    done = tuner.run(*RUN, "--seed", "5", "--tuned-dir", str(won), "--set", f"epochs={epochs}")
    (record,) = done.records
    assert "settings tuned on emoji with albef:tiny, except epochs: mmul (--untuned" in done.err
    assert record.spec.config == {**study.spec.defaults, **study.settings, "epochs": epochs}
    assert record.tuning is not None and record.tuning.overridden == ("epochs",)
    assert not record.is_tuned
    assert record.origins["epochs"] == record.origins["task.limit"] == "command line"
    assert record.origins["lr"] == record.origins["alpha"] == f"study {study.spec.study_id}"
    assert record.origins["trainable"] == record.origins["recipe.lr"] == "default"
    again = tuner.run(*record.command.split()[1:], "--json").records[0]
    assert again == record, "its own command finds it, and leaves what it says of the study"


def test_a_study_of_other_versions_is_left_aside_with_one_note(won, tuner, tmp_path):
    old = json.loads(mmul_study(won).model_dump_json())
    old["spec"]["recipe_version"] = "1"
    path = study_path(tmp_path, "emoji", "albef:tiny", "mmul")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(old))
    done = tuner.run(*RUN, "--seed", "5", "--tuned-dir", str(tmp_path))
    (record,) = done.records
    assert record.spec.config == mmul_study(won).spec.defaults and record.tuning is None
    (note,) = [line for line in done.err.splitlines() if "left aside" in line]
    assert "left aside a study that is of metrics " in note and note.endswith(f"anew): {path}")


def test_a_default_that_was_kept_is_where_runs_start(won, tuner, tmp_path):
    study = mmul_study(won)
    write_mmul_study(
        tmp_path, study.model_copy(update={"check": Check(default=0.1, best=0.2, do_nothing=0.3)})
    )
    done = tuner.run(*RUN, "--seed", "5", "--tuned-dir", str(tmp_path))
    assert "where their own settings proved better than the best found: mmul" in done.err
    (record,) = done.records
    assert record.spec.config == study.spec.defaults
    assert record.tuning is not None and record.tuning.kept_default and record.tuning.found


def test_the_recorded_command_needs_no_study(won, tuner, tmp_path):
    (record,) = tuner.run(*RUN, "--seed", "6", "--tuned-dir", str(won)).records
    assert " --untuned" in record.command
    words = record.command.split()[1:]
    (again,) = tuner.run(*words, "--json", "--results-dir", str(tmp_path)).records
    assert again.run_id == record.run_id and again.values == record.values


def test_a_record_from_before_the_study_learns_of_it(won, tuner, tmp_path):
    folder, study = won, mmul_study(won)
    settings = [word for key, value in study.settings.items() for word in ("--set", f"{key}={value}")]
    words = [*RUN, "--results-dir", str(tmp_path)]
    (before,) = tuner.run(*words, "--untuned", *settings).records
    assert before.tuning is None
    done = tuner.run(*words, "--tuned-dir", str(folder))
    (after,) = done.records
    assert "found the record of this run" in done.err
    assert after.tuning is not None and after.started == before.started
    assert before.origins["lr"] == "command line"
    assert after.is_tuned and after.origins["lr"] == f"study {study.spec.study_id}"
    (path,) = tmp_path.rglob("*.json")
    assert json.loads(path.read_text())["tuning"]["trials"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-m", "mmull"], "unknown method 'mmull'; did you mean mmul"),
        (["-m", "original"], "method original has no settings to search"),
        (["--seed", "42"], "--seed 42 is for records; tune with another, such as --seed 1"),
        (["--trials", "0"], "Invalid value for '--trials'"),
        (["--forget-size", "0.9"], "units outside the published forget sets"),
        (["-m", "mmul", "--set", "mmul.lr=5"], "mmul: lr=5.0 lies outside of what is searched"),
    ],
)
def test_wrong_use(words, said, tuner, tmp_path):
    base = ["tune", *TINY, "-b", "albef:tiny", "--tuned-dir", str(tmp_path)]
    done = tuner.run(*base, *([] if "-m" in words else ["-m", "finetune"]), *words)
    assert done.code == 2, done.err
    *stages, last = done.err.strip().splitlines()
    assert said in last and set(stages) <= {"1/5 data"}


def test_without_optuna_it_says_how_to_install_it(tuner):
    done = tuner.run("tune", "-t", "emoji", hidden="optuna")
    assert done.code == 2
    assert 'mmulbench tune needs the package optuna: run pip install "mmulbench[tune]"' in done.err


def test_a_damaged_study_stops_a_run_in_one_line(tmp_path):
    path = study_path(tmp_path, "emoji", "albef:tiny", "mmul")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    done = here("run", "-m", "mmul", "-t", "emoji", "-b", "albef:tiny", "--tuned-dir", str(tmp_path))
    assert done.code == 1
    assert f"cannot read the study {path}" in done.err and "delete it and tune again" in done.err
