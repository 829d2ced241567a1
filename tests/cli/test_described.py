"""What is gathered of each kind of thing: settings with ranges and sources, what applies, cost."""

from __future__ import annotations

import json

import pytest
from planted_results import ENVIRONMENT, Planted, World

from mmulbench.cli.described import Places, described
from mmulbench.core.registry import BACKBONES, METHODS, METRICS, TASKS
from mmulbench.records.store import ResultsStore
from mmulbench.records.study import Check, Study, StudySpec, Trial, study_path, write_study


@pytest.fixture
def places(tmp_path):
    store = ResultsStore(tmp_path / "results")
    for record in World().records({"mmul": Planted()}):
        store.write(record)
    return Places(tmp_path / "results", tmp_path / "tuned")


@pytest.mark.parametrize(
    ("kind", "registry"), [("method", METHODS), ("task", TASKS), ("backbone", BACKBONES), ("metric", METRICS)]
)
def test_everything_registered_can_be_described(kind, registry, places):
    for name in registry.names():
        found = json.loads(json.dumps(described(kind, name, places)))
        assert (found["kind"], found["name"]) == (kind, name)
        assert found["description"] and found["about"], name
        assert all(one["meaning"] for settings in found["settings"].values() for one in settings), name


def test_a_method_says_ranges_sources_and_where_it_applies(places):
    found = described("method", "gnndelete", places)
    (settings,) = found["settings"].values()
    assert {one["name"] for one in settings} == set(METHODS.get("gnndelete").Config.__dataclass_fields__)
    rate = next(one for one in settings if one["name"] == "lr")
    assert rate["allowed"] == "number, above 0"
    assert rate["tuning"] == {"low": 1e-5, "high": 3e-2, "log": True}
    assert "same for every method" in rate["source"]
    assert "emoji" in found["sections"]["Does not apply to"]
    applying = next(lines for title, lines in found["sections"].items() if title.startswith("Applies to"))
    assert "pgr" in applying[0] and "emoji" not in applying[0].split(", ")


def test_costs_are_those_of_the_records(places):
    lines = described("method", "mmul", places)["sections"]["Cost, unlearning alone"]
    assert lines[0].startswith("emoji with albef:packaged: ") and lines[0].endswith("(median of 3 records)")
    for kind, name in (("task", "emoji"), ("backbone", "albef")):
        (line,) = described(kind, name, places)["sections"]["Cost of retraining"]
        assert line.startswith("emoji with albef:packaged: ")
    (nothing,) = described("method", "scrub", places)["sections"]["Cost, unlearning alone"]
    assert nothing == f"no records in {places.results} tell it yet"


TUNED = "Tuned settings, which a run starts from unless --untuned"


def write_tuned(folder, alpha):
    """A study of mmul on emoji that came to this alpha."""
    spec = StudySpec(
        task="emoji",
        task_config={},
        backbone="albef:packaged",
        recipe={},
        method="mmul",
        defaults=vars(METHODS.get("mmul").Config()),
        space={"alpha": (0.1, 10.0, True)},
        forget_size=2,
        seeds=(1,),
        check_seed=2,
        budget=0.5,
        data_fingerprint="d" * 64,
    )
    trials = [
        Trial(settings={"alpha": value}, state="done", by_seed=[far], objective=far)
        for value, far in ((1.0, 0.4), (alpha, 0.1))
    ]
    check = Check(default=0.4, best=0.1, do_nothing=0.5)
    study = Study(spec=spec, do_nothing=[0.5], trials=trials, check=check, environment=ENVIRONMENT)
    write_study(study_path(folder, "emoji", "albef:packaged", "mmul"), study)


def test_tuned_settings_of_the_users_own_studies_are_shown(places):
    assert "emoji" not in described("method", "scrub", places)["sections"].get(TUNED, {})
    write_tuned(places.tuned, 3.0)
    tuned = described("method", "mmul", places)["sections"][TUNED]
    assert tuned["emoji"].startswith("alpha=3.0 (study ")


def test_a_task_says_recipe_backbones_and_methods(places):
    found = described("task", "emoji", places)
    recipe = found["settings"]["Recipe of the original and retrain (--set recipe.KEY=VALUE)"]
    assert {one["name"]: one["default"] for one in recipe}["epochs"] == TASKS.get("emoji")().recipe.epochs
    assert "albef" in found["facts"]["backbones"] and "gtnn" not in found["facts"]["backbones"]
    assert "gnndelete" in found["sections"]["Methods that do not apply"]


def test_a_backbone_says_variants_and_checkpoints(places):
    clip = described("backbone", "clip", places)
    assert list(clip["sections"]["Variants, the default first"]) == [
        f"clip:{name}" for name in BACKBONES.get("clip").variants
    ]
    assert clip["facts"]["checkpoints"].startswith("clip:PATH")
    assert described("backbone", "gtnn", places)["facts"]["checkpoints"] == "reads none"


def test_a_metric_says_what_it_costs(places):
    assert "N at least 2" in described("metric", "u_lira", places)["facts"]["cost"]
    assert described("metric", "retrain_gap", places)["facts"]["cost"].startswith("none: ")
    assert described("metric", "mia", places)["facts"]["by chance"] == "0.5"
