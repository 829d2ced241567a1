from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from tuning_toys import Made, Slope, search, slope_spec

from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import METRIC_VERSION, RECIPE_VERSION
from mmulbench.records.study import (
    STUDY_VERSION,
    Check,
    StaleStudy,
    read_study,
    study_path,
    tuned_default,
    write_study,
)


@pytest.fixture(scope="module")
def study(emoji):
    return search(slope_spec(emoji), emoji, [Made(lambda c: c.x)] * 2, 5)


@pytest.fixture
def find(emoji, tmp_path):
    def look(name="emoji", task=emoji.task, backbone=emoji.backbone.full_name, method="slope", aside=None):
        places, stale = task.study_places(name, backbone), [] if aside is None else aside
        return tuned_default(places, method, Slope.Config(), tmp_path, stale.append)

    return look


def placed(study, task, backbone):
    """The same study of another task and backbone."""
    spec = study.spec.model_copy(update={"task": task, "backbone": backbone})
    return study.model_copy(update={"spec": spec})


def test_a_study_becomes_the_default(study, find, tmp_path):
    assert find() is None
    write_study(study_path(tmp_path, "emoji", "albef:tiny", "slope"), study)
    found = find()
    assert found.config == replace(Slope.Config(), **study.settings)
    assert found.config.x < 0.5
    tuning = found.tuning
    assert (tuning.study_id, tuning.trials) == (study.spec.study_id, 5)
    assert tuning.found and not tuning.kept_default and tuning.reason is None
    assert tuning.done == sum(trial.state == "done" for trial in study.trials)
    assert (tuning.budget, tuning.do_nothing, tuning.objective) == (0.5, 0.5, study.best.objective)
    assert find(method="other") is None
    assert find(backbone="albef:base") is None


def test_a_study_in_vain_leaves_the_method_s_own_settings(study, find, tmp_path):
    over = {"state": "over_budget", "objective": None}
    vain = study.model_copy(update={"trials": [one.model_copy(update=over) for one in study.trials]})
    write_study(study_path(tmp_path, "emoji", "albef:tiny", "slope"), vain)
    assert find().config == Slope.Config()
    assert (find().tuning.trials, find().tuning.found, find().tuning.objective) == (5, False, None)


def test_the_nearest_task_stands_in(study, find, tmp_path):
    flags = TASKS.get("flags")()
    assert flags.tuned_like is not None
    write_study(study_path(tmp_path, *flags.tuned_like, "slope"), placed(study, *flags.tuned_like))
    assert find("flags", flags, "albef:tiny").config.x == study.settings["x"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "Invalid JSON: "),
        (b"{}", "spec: Field required"),
        (b'{"spec": 1}', "spec: "),
        (b"\0", "Invalid JSON: "),
        (b"\xff", "Invalid JSON: "),
    ],
)
def test_a_damaged_study_is_named(content, fault, find, tmp_path):
    path = study_path(tmp_path, "emoji", "albef:tiny", "slope")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    wanted = f"cannot read the study {path}: {fault}.*; delete it and tune again"
    with pytest.raises(MmulbenchError, match=wanted):
        find()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"y": 1.0}, "sets y, which the method does not have"),
        ({"x": -1.0}, "has settings that the method refuses (--set x=-1.0: input should be greater than 0)"),
    ],
)
def test_a_study_of_settings_that_no_longer_fit_is_left_aside(settings, reason, study, find, tmp_path):
    trials = [study.trials[0].model_copy(update={"settings": settings})]
    spec = study.spec.model_copy(update={"space": {"x": (-2.0, 1.0, False)}})  # of an earlier method
    path = study_path(tmp_path, "emoji", "albef:tiny", "slope")
    write_study(path, study.model_copy(update={"spec": spec, "trials": trials, "check": None}))
    aside = []
    assert find(aside=aside) is None
    assert [(one.path, one.reason) for one in aside] == [(path, reason)]
    assert read_study(path) is not None


def test_a_default_that_was_kept_is_said_to_be(study, find, tmp_path):
    check = Check(default=0.2, best=0.3, do_nothing=0.4)
    write_study(
        study_path(tmp_path, "emoji", "albef:tiny", "slope"), study.model_copy(update={"check": check})
    )
    assert find().config == Slope.Config()
    assert find().tuning.kept_default and find().tuning.found
    assert find().tuning.objective == study.trials[0].objective


@pytest.mark.parametrize(
    ("field", "current"),
    [
        ("metric_version", METRIC_VERSION),
        ("recipe_version", RECIPE_VERSION),
        ("study_version", STUDY_VERSION),
    ],
)
def test_a_study_of_other_versions_is_left_aside(field, current, study, find, tmp_path):
    path = study_path(tmp_path, "emoji", "albef:tiny", "slope")
    write_study(path, study)
    content = json.loads(path.read_text())
    assert content["spec"][field] == current
    for other in (type(current)(1), type(current)(3)):
        write_stale(path, study, **{field: other})
        aside = []
        assert find(aside=aside) is None
        (stale,) = aside
        assert stale.path == path and stale.reason.startswith("is of metrics ")
        with pytest.raises(StaleStudy, match=f"^the study {path} is of metrics .*, and this mmulbench of "):
            read_study(path)


def write_stale(path, study, **spec):
    """Write a study whose specification says otherwise."""
    content = json.loads(study.model_dump_json())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, "spec": {**content["spec"], **spec}}))


def test_the_next_place_is_used_where_a_study_is_left_aside(study, find, tmp_path, monkeypatch):
    flags = TASKS.get("flags")()
    assert flags.tuned_like is not None
    places = ("flags", "albef:tiny"), flags.tuned_like
    own, nearest = (study_path(tmp_path, *place, "slope") for place in places)
    write_stale(own, study, metric_version="1")
    write_study(nearest, placed(study, *places[1]))
    aside = []
    assert find("flags", flags, "albef:tiny", aside=aside).config.x == study.settings["x"]
    assert [stale.path for stale in aside] == [own]
    published = tmp_path / "published"
    monkeypatch.setenv("MMULBENCH_STUDIES", str(published))
    other = placed(study, "flags", "albef:tiny")
    write_study(study_path(published, "flags", "albef:tiny", "slope"), other)
    nearest.unlink()
    assert find("flags", flags, "albef:tiny").config.x == study.settings["x"]


def test_studies_from_before_recipes_had_versions_are_of_the_first(study, tmp_path):
    path = tmp_path / "old.json"
    spec = {"metric_version": "2", "study_version": STUDY_VERSION}
    path.write_text(json.dumps({"spec": spec, "trials": []}))
    with pytest.raises(StaleStudy, match="is of metrics 2, recipe 1"):
        read_study(path)


def test_a_pipe_in_place_of_a_study_is_one_line(tmp_path):
    os.mkfifo(tmp_path / "study.json")
    with pytest.raises(MmulbenchError, match=r"^cannot read the study .*: not a regular file$"):
        read_study(tmp_path / "study.json")
