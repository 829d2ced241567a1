from __future__ import annotations

import re
from dataclasses import fields

import pytest

from mmulbench.core.registry import METHODS
from mmulbench.core.training import Recipe
from mmulbench.errors import UsageError
from mmulbench.setting_values import Overrides, validated


def config_of(name: str):
    return METHODS.get(name).Config()


def test_each_setting_goes_where_it_is_addressed():
    given = Overrides(["lr=0.5", "mmul.alpha=2", "recipe.epochs=3", "task.limit=20"], ["mmul", "finetune"])
    mmul, finetune = (given.method(name, config_of(name)) for name in ("mmul", "finetune"))
    assert (mmul.lr, mmul.alpha, finetune.lr) == (0.5, 2.0, 0.5)
    assert given.recipe(Recipe()) == Recipe(epochs=3)


def test_nothing_set_gives_the_defaults_back():
    default = config_of("mmul")
    assert Overrides([], ["mmul"]).method("mmul", default) is default


@pytest.mark.parametrize(
    ("item", "name", "value"),
    [
        ("epochs=3", "epochs", 3),
        ("lr=1e-4", "lr", 1e-4),
        ("rewind=true", "rewind", True),
        ("rewind=0", "rewind", False),
        (" msteps =0", "msteps", 0),
    ],
)
def test_text_becomes_the_type_of_the_setting(item, name, value):
    found = getattr(Overrides([item], ["scrub"]).method("scrub", config_of("scrub")), name)
    assert found == value and type(found) is type(value)


def test_a_choice():
    given = Overrides(["partner=forget", "trainable=fusion"], ["mmul"]).method("mmul", config_of("mmul"))
    assert (given.partner, given.trainable) == ("forget", "fusion")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["epochs"], "--set 'epochs' is not key=value, such as --set epochs=5"),
        (["=3"], "--set '=3' is not key=value"),
        (["mmull.lr=1"], "--set mmull.lr: unknown target 'mmull'; did you mean mmul?"),
        (["lr=1", "lr=2"], "--set lr is given twice with different values"),
        (["lr=1", "mmul.lr=2"], "--set mmul.lr is given twice with different values"),
        (["alhpa=1"], "--set alhpa: method mmul has no such setting; did you mean alpha?"),
        (["recipe.epoch=1"], "--set recipe.epoch: recipe has no such setting; did you mean epochs?"),
        (["epochs=many"], "--set epochs=many: input should be a valid integer"),
        (["epochs=2.5"], "--set epochs=2.5: input should be a valid integer"),
        (["lr="], "--set lr=: input should be a valid number"),
        (["epochs=0"], "--set epochs=0: input should be greater than or equal to 1"),
        (["batch_size=1"], "--set batch_size=1: a batch needs 2 pairs"),
        (["lr=0"], "--set lr=0: input should be greater than 0"),
        (["lr=nan"], "--set lr=nan: input should be "),
        (["lr=inf"], "--set lr=inf: input should be a finite number"),
        (["alpha=-1"], "--set alpha=-1: input should be greater than or equal to 0"),
        (["partner=test"], "--set partner=test: input should be 'retain' or 'forget'"),
        (["recipe.epochs=-1"], "--set recipe.epochs=-1: input should be greater than or equal to 0"),
        (["recipe.sampling=all"], "--set recipe.sampling=all: input should be 'unit' or 'pair'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(items, message):
    with pytest.raises(UsageError, match="^" + re.escape(message)) as caught:
        given = Overrides(items, ["mmul"])
        given.method("mmul", config_of("mmul"))
        given.recipe(Recipe())
    assert "\n" not in str(caught.value)


def test_the_same_value_twice_is_no_contradiction():
    assert Overrides(["lr=1", "mmul.lr=1"], ["mmul"]).method("mmul", config_of("mmul")).lr == 1


def test_a_method_without_settings_says_so():
    with pytest.raises(
        UsageError, match=r"method original has no such setting; method original has no settings"
    ):
        Overrides(["lr=1"], ["original"]).method("original", config_of("original"))


def test_a_bare_setting_is_nobodys_where_no_method_is_run():
    with pytest.raises(
        UsageError, match=r"--set unit: no method is run here: write task\.unit or recipe\.unit"
    ):
        Overrides(["task.limit=5", "unit=person"], [])


def test_a_bare_setting_must_suit_every_method():
    given = Overrides(["alpha=1"], ["mmul", "finetune"])
    assert given.method("mmul", config_of("mmul")).alpha == 1
    with pytest.raises(UsageError, match="method finetune has no such setting"):
        given.method("finetune", config_of("finetune"))


def test_a_check_of_the_configuration_itself_names_what_was_set():
    from mmulbench.tasks.emoji import Emoji

    with pytest.raises(UsageError, match=r"^--set task.limit=5: limit must be 0 \(all\) or at least 20$"):
        Overrides(["task.limit=5"], []).task(Emoji.Config())


@pytest.mark.parametrize("name", METHODS.names())
def test_every_default_is_within_its_own_range(name):
    default = config_of(name)
    given = {field.name: str(getattr(default, field.name)) for field in fields(default)}
    assert validated(default, given, name) == default


@pytest.mark.parametrize("name", METHODS.names())
def test_no_method_takes_a_negative_number(name):
    default = config_of(name)
    for field in fields(default):
        if type(getattr(default, field.name)) in (int, float):
            with pytest.raises(UsageError, match=f"{field.name}=-1: input should be greater"):
                validated(default, {field.name: "-1"}, name)
