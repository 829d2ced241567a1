"""Each setting comes from a default, a study or the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tuning_toys import Made, Slope, search, slope_spec

from mmulbench.records.study import TunedDefault
from mmulbench.runs.open_task import resolve
from mmulbench.runs.origins import method_origins, setting_origins, tuning_of
from mmulbench.runs.request import Request

OWN = Slope.Config()


@pytest.fixture(scope="module")
def study(emoji):
    return search(slope_spec(emoji), emoji, [Made(lambda c: c.x)] * 2, 3)


@pytest.fixture
def tuned(study) -> TunedDefault:
    """A study that decides two of three settings."""
    return TunedDefault(replace(OWN, x=0.25, k=2), study.tuning, frozenset({"x", "k"}))


def test_without_a_study_all_is_default_or_command_line():
    origins = method_origins(replace(OWN, k=4), OWN, None)
    assert origins == {"x": "default", "k": "command line", "fixed": "default"}
    assert tuning_of(origins, None) is None


@pytest.mark.parametrize(
    ("given", "expected", "overridden"),
    [
        ({}, ("study", "study", "default"), ()),
        ({"x": 0.25}, ("study", "study", "default"), ()),
        ({"k": 1}, ("study", "command line", "default"), ("k",)),
        ({"fixed": 1}, ("study", "study", "command line"), ("fixed",)),
        ({"x": 0.5, "k": 1}, ("command line", "command line", "default"), None),
    ],
)
def test_settings_on_top_of_a_study_are_named(given, expected, overridden, tuned):
    origins = method_origins(replace(tuned.config, **given), OWN, tuned)
    name = f"study {tuned.tuning.study_id}"
    assert tuple(origins.values()) == tuple(name if place == "study" else place for place in expected)
    tuning = tuning_of(origins, tuned)
    if overridden is None:
        assert tuning is None, "nothing is left of the study"
    else:
        assert tuning == tuned.tuning.model_copy(update={"overridden": overridden})


def test_a_study_in_vain_is_told_until_settings_are_chosen_by_hand(tuned):
    vain = replace(tuned, config=OWN, settings=frozenset())
    assert tuning_of(method_origins(OWN, OWN, vain), vain) == vain.tuning
    by_hand = method_origins(replace(OWN, x=0.1), OWN, vain)
    assert tuning_of(by_hand, vain) is None and set(by_hand.values()) == {"command line", "default"}


def test_names_have_a_prefix():
    assert setting_origins(OWN, OWN, prefix="recipe.") == dict.fromkeys(
        ("recipe.x", "recipe.k", "recipe.fixed"), "default"
    )


def test_a_request_knows_the_origin_of_every_setting(tmp_path):
    request = Request(
        task="emoji",
        methods=("mmul", "ssd"),
        backbone="albef:tiny",
        settings=("mmul.epochs=1", "recipe.epochs=1", "task.limit=40"),
        tuned_dir=tmp_path,
        plugins=(),
    )
    found = resolve(request, request, tuned=True).origins
    by_hand = {
        name: [key for key, place in places.items() if place == "command line"]
        for name, places in found.items()
    }
    shared = ["recipe.epochs", "task.limit"]
    assert by_hand == {"mmul": ["epochs", *shared], "ssd": shared}
    assert {"alpha", "lr", "recipe.lr", "task.limit"} <= set(found["mmul"])
