from __future__ import annotations

import pytest
from forged import forged

from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS
from mmulbench.validity.settings import changed_kinds, check_settings

PLUGIN = '''
"""A method."""
from dataclasses import dataclass
from typing import Annotated
from pydantic import Field
from mmulbench import METHODS, GradientConfig, GradientMethod

@METHODS.register("outside")
class Outside(GradientMethod):
    """Outside."""
    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Settings."""
        weight: Annotated[float, Field(ge=0)] = 0.1
    def loss(self, model, forget, retain, problem):
        return model(retain).loss
'''


def found(changes):
    return {one.field: one.text for one in check_settings(forged({"code": {}, **changes}))}


def test_a_committed_record_holds():
    assert found({}) == {}


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        ("spec.config.lr", -0.1, "is -0.1; it should be Input should be greater than 0"),
        ("spec.config.epochs", 0, "is 0; it should be Input should be greater than or equal to 1"),
        ("spec.config.batch_size", 1, "is 1; it should be a batch needs 2 pairs"),
        ("spec.config.trainable", "none", "is none; it should be Input should be 'all' or 'fusion'"),
        ("spec.config.epochs", "5", "is '5'; it should be 5"),
        ("spec.config.speed", 3, "is no setting of it; it should be alpha, "),
        ("spec.recipe.sampling", "all", "is all; it should be Input should be 'unit' or 'pair'"),
        ("spec.recipe.batch_size", 1, "is 1; it should be Input should be greater than or equal to 2"),
        ("spec.task_config.limit", 3, "is null; it should be limit must be 0 (all) or at least 20"),
        ("spec.backbone", "albef:huge", "is albef:huge; it should be albef:"),
    ],
)
def test_a_setting_that_nothing_takes_is_found(place, value, text):
    fields = found({place: value})
    (field,) = fields
    assert text in fields[field]
    assert field == place or place == "spec.task_config.limit"


def test_a_setting_that_is_not_there_may_have_come_since():
    for part, name in (("config", "alpha"), ("recipe", "sampling")):
        settings = {**getattr(forged({}).spec, part)}
        del settings[name]
        text = "cannot be checked: it was perhaps not there yet when the record was made"
        assert found({f"spec.{part}": settings}) == {f"spec.{part}.{name}": f"spec.{part}.{name} {text}"}


@pytest.mark.parametrize(
    ("place", "name", "text"),
    [
        ("spec.method", "mine", "method mine is not known here"),
        ("spec.task", "mine", "task mine is not known here"),
        ("spec.backbone", "mine:own", "backbone mine is not known here"),
    ],
)
def test_what_is_not_known_here_cannot_be_checked(place, name, text):
    assert found({place: name}) == {place: f"{place} cannot be checked: {text}"}


def test_published_weights_are_any_name_with_a_digest():
    assert found({"spec.backbone": "albef:flickr.pth@0123456789ab"}) == {}
    assert found({"spec.backbone": "albef:flickr.pth"}).keys() == {"spec.backbone"}


def test_settings_of_other_code_than_today_s_cannot_be_checked():
    changes = {"spec.config.lr": -0.1, "code": {"method": "0" * 16}}
    assert changed_kinds(forged(changes)) == ["method"]
    assert found(changes) == {
        "spec.config.lr": "spec.config.lr cannot be checked: it is -0.1, made by other code of method"
    }


def test_a_plug_in_is_checked_where_it_is_loaded(tmp_path):
    path = tmp_path / "outside.py"
    path.write_text(PLUGIN)
    config = {"epochs": 5, "lr": 0.0003, "batch_size": 0, "patience": 0, "weight": -1.0}
    changes = {"spec.method": "outside", "spec.config": config, "spec.plugins": {"outside": "0" * 16}}
    unknown = "method outside is of a plug-in file that is not loaded (--plugin FILE)"
    assert found(changes) == {"spec.method": f"spec.method cannot be checked: {unknown}"}
    load_plugins([path])
    try:
        assert found(changes).keys() == {"spec.method"}, "another file of this name"
        del changes["spec.plugins"]
        assert found(changes).keys() == {"spec.config.weight"}
    finally:
        METHODS.discard("outside")
