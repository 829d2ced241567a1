"""Each check of the contract of tasks finds what it is there for, and says what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from mmulbench.conformance.checks import run_check
from mmulbench.conformance.task_checks import task_checks
from mmulbench.conformance.task_trial import TaskTrial
from mmulbench.conformance.tiny_tasks import PairsTask, TinyTask, TwoImagesTask
from mmulbench.core.data import Split
from mmulbench.hashing import fingerprint
from mmulbench.progress import Progress

CHECKS = {check.name: check for check in task_checks()}
OF_LARGER_TASKS = {"counting_tells_no_class", "popularity_finds_no_text"}
SHORTCUTS = {*OF_LARGER_TASKS, "pictures_have_no_twins", "no_text_or_group_is_there_twice"}
"""What test_shortcut_checks.py tries on larger tasks."""


def trial_of(task=None, change=lambda data: data, again=None) -> TaskTrial:
    """A tiny task whose data is changed after loading; ``again`` changes what is loaded the second time."""
    task = task or TinyTask()
    data = replace(task.load(Path(), Progress()), fingerprint=fingerprint([type(task).__name__]))
    first = change(data)
    return TaskTrial("emoji", task, first, lambda: again(first) if again else first)


def run(name, *args, **settings):
    return run_check(CHECKS[name], [trial_of(*args, **settings)])


class InTwos(TinyTask):
    """Two items a unit, next to each other."""

    def unit_numbers(self, data):
        return data.train.units // 2


@pytest.mark.parametrize("cls", [TinyTask, PairsTask, TwoImagesTask, InTwos])
@pytest.mark.parametrize("name", CHECKS)
def test_a_good_task_passes(name, cls):
    outcome = run(name, cls())
    assert outcome.status == ("skipped" if name in OF_LARGER_TASKS else "passed"), outcome.reason


def with_(base=TinyTask, **attributes):
    return type("Changed", (base,), attributes)()


@dataclass
class Melted:
    limit: int = 0


@dataclass(frozen=True)
class Odd:
    where: Path = Path()


class Unsteady(TinyTask):
    def forget_order(self, data, seed):
        return np.random.permutation(data.train.units)


class Shuffled(TinyTask):
    def forget_units(self, data, size, seed):
        return super().forget_units(data, size, seed + size)


class Stubborn(TinyTask):
    def forget_order(self, data, seed):
        return data.train.units


class Generous(TinyTask):
    def forget_size(self, data, requested):
        return requested


class Rounding(TinyTask):
    def forget_size(self, data, requested):
        return 2 if requested == 1 else super().forget_size(data, requested)


class Torn(InTwos):
    def first_units(self, data, order, size):
        return order[: 2 * size - 1]


class Mixed(InTwos):
    def forget_order(self, data, seed):
        return np.roll(super().forget_order(data, seed), 1)


class Greedy(InTwos):
    def first_units(self, data, order, size):
        return order[: 2 * size + 2]


class OfPairs(TinyTask):
    def unit_numbers(self, data):
        return data.train.first


class Nameless(TinyTask):
    def item_names(self, data, modality):
        return ["?"]


class Renamed(TinyTask):
    def other_names(self, data):
        return {"a copy": [len(data.items["image"])]}


class Short(TinyTask):
    def pair_columns(self, data):
        return {"person": ["ann"]}


def moved(split: Split, **columns) -> Split:
    return replace(split, **columns)


def repeated(data):
    train = data.train
    twice = Split(np.append(train.first, train.first[0]), np.append(train.second, train.second[0]))
    return replace(data, train=twice)


VIOLATIONS = {
    "one modality": ("says_what_it_is", {"task": with_(modalities=("image",))}, "give two names"),
    "no recipe": ("says_what_it_is", {"task": with_(recipe=None)}, "recipe must be a mmulbench.Recipe"),
    "forgets all": ("says_what_it_is", {"task": with_(forget_fraction=1.0)}, "between 0 and 1"),
    "melted": ("settings_can_be_recorded", {"task": with_(Config=Melted)}, "@dataclass(frozen=True)"),
    "a path": ("settings_can_be_recorded", {"task": with_(Config=Odd)}, "cannot be written as JSON"),
    "unknown backbone": (
        "has_a_backbone",
        {"task": with_(default_backbone="albeff:tiny")},
        "default_backbone: unknown backbone 'albeff'; did you mean albef?",
    ),
    "wrong backbone": (
        "has_a_backbone",
        {"task": with_(default_backbone="gtnn:tiny")},
        "reads graph and text, but the task pairs image and text",
    ),
    "no texts": (
        "has_items_of_both_modalities",
        {"change": lambda data: replace(data, items={"image": data.items["image"]})},
        "load gives items of ['image']",
    ),
    "no groups": (
        "has_items_of_both_modalities",
        {"task": with_(group=2), "change": lambda data: TinyTask().load(Path(), Progress())},
        "an item of image has 1 parts, but Changed.group is 2",
    ),
    "empty": (
        "splits_index_the_items",
        {"change": lambda data: replace(data, test=data.test.only(np.array([-1])))},
        "the split test is empty",
    ),
    "old rows": (
        "splits_index_the_items",
        {"change": lambda data: replace(data, train=data.train.without(data.train.units[:1]))},
        "the rows of the split train are not counted from 0",
    ),
    "small integers": (
        "splits_index_the_items",
        {"change": lambda data: replace(data, train=moved(data.train, first=data.train.first.astype("i4")))},
        "the indices of train are int32: make them int64",
    ),
    "beyond the items": (
        "splits_index_the_items",
        {"change": lambda data: replace(data, test=moved(data.test, second=data.test.second + 1))},
        "the split test names text",
    ),
    "a pair twice": ("splits_index_the_items", {"change": repeated}, "the split train holds a pair twice"),
    "shared units": (
        "splits_share_no_unit",
        {"change": lambda data: replace(data, test=data.validation)},
        "4 units are in both validation and test",
    ),
    "no labels": (
        "labels_are_its_classes",
        {"task": PairsTask(), "change": lambda data: replace(data, train=moved(data.train, label=None))},
        "the task names 3 classes, but the split train has no labels",
    ),
    "labels without classes": (
        "labels_are_its_classes",
        {"change": lambda data: replace(data, test=moved(data.test, label=data.test.first))},
        "the task names 0 classes, but the split test has labels",
    ),
    "a fourth class": (
        "labels_are_its_classes",
        {"task": PairsTask(), "change": lambda d: replace(d, test=moved(d.test, label=d.test.label + 1))},
        "labels of test run from 1 to 3, with 3 classes",
    ),
    "no fingerprint": (
        "loads_the_same_again",
        {"change": lambda data: replace(data, fingerprint="today")},
        "the fingerprint is 'today': make it with fingerprint(…)",
    ),
    "another fingerprint": (
        "loads_the_same_again",
        {"again": lambda data: replace(data, fingerprint="0" * 64)},
        "the fingerprint differs when the data is loaded again",
    ),
    "another order": (
        "loads_the_same_again",
        {"again": lambda data: replace(data, test=moved(data.test, second=data.test.second[::-1]))},
        "second of test differs when the data is loaded again",
    ),
    "nameless": (
        "lists_can_name_its_items",
        {"task": Nameless()},
        "Nameless.item_names has 1 names for 24 items of image",
    ),
    "a name of nothing": (
        "lists_can_name_its_items",
        {"task": Renamed()},
        "Renamed.other_names says that 'a copy' is of [24], but there are 24 items",
    ),
    "a short column": (
        "lists_can_name_its_items",
        {"task": Short()},
        "Short.pair_columns has 1 values of person for 32 training pairs",
    ),
    "units of pairs": (
        "units_are_of_training_items",
        {"task": OfPairs()},
        "OfPairs.unit_numbers is int64 of the shape (32,): give an integer for each of the 16 items",
    ),
    "torn units": ("forget_lists_are_nested", {"task": Torn()}, "holds a part of one"),
    "mixed units": (
        "forget_lists_are_nested",
        {"task": Mixed()},
        "let forget_order keep the items of a unit",
    ),
    "another size": ("forget_lists_are_nested", {"task": Greedy()}, "a forget set of 1 units holds 2"),
    "not nested": ("forget_lists_are_nested", {"task": Shuffled()}, "no beginning of a larger one"),
    "not repeatable": ("forget_lists_are_nested", {"task": Unsteady()}, ""),
    "one order": ("forget_lists_differ_between_seeds", {"task": Stubborn()}, "let forget_order depend"),
    "takes anything": ("refuses_impossible_forget_sizes", {"task": Generous()}, "forget_size takes 0 of 16"),
    "rounds": ("takes_possible_forget_sizes", {"task": Rounding()}, "forget_size makes 2 of 1"),
}


@pytest.mark.parametrize("case", VIOLATIONS)
def test_a_violation_is_found(case):
    name, settings, reason = VIOLATIONS[case]
    outcome = run(name, **settings)
    assert outcome.status == "failed" and reason in outcome.reason, outcome
    assert "\n" not in outcome.reason


def test_every_check_has_a_violation():
    assert {name for name, _, _ in VIOLATIONS.values()} | SHORTCUTS == set(CHECKS)


def test_too_few_units_to_tell_seeds_apart():
    outcome = run(
        "forget_lists_differ_between_seeds",
        change=lambda data: replace(data, train=data.train.only(data.train.units[:5])),
    )
    assert (outcome.status, outcome.reason) == ("skipped", "there are fewer than 8 training units")
