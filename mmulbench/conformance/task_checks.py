"""The rules that every task must hold to, tried on its own data."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict

import numpy as np

from mmulbench.conformance.checks import Check, ContractViolation, SkipCheck, demand, is_frozen
from mmulbench.conformance.shortcut_checks import (
    counting_tells_no_class,
    no_text_or_group_is_there_twice,
    pictures_have_no_twins,
    popularity_finds_no_text,
)
from mmulbench.conformance.task_trial import TaskTrial
from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Split
from mmulbench.core.registry import TASKS
from mmulbench.core.training import Recipe
from mmulbench.errors import UsageError
from mmulbench.runs.backbones import find_backbone

LISTED = 50
"""Number of units in the forget lists that are compared, or half of all units where there are fewer."""

FEWEST = 8
"""Number of training units below which two lists may be the same by chance."""


def task_checks() -> list[Check]:
    """Return everything a task must hold to, in the order in which to read it."""
    return [
        Check(run)
        for run in (
            says_what_it_is,
            settings_can_be_recorded,
            has_a_backbone,
            has_items_of_both_modalities,
            splits_index_the_items,
            splits_share_no_unit,
            labels_are_its_classes,
            loads_the_same_again,
            lists_can_name_its_items,
            units_are_of_training_items,
            forget_lists_are_nested,
            forget_lists_differ_between_seeds,
            refuses_impossible_forget_sizes,
            takes_possible_forget_sizes,
            no_text_or_group_is_there_twice,
            pictures_have_no_twins,
            counting_tells_no_class,
            popularity_finds_no_text,
        )
    ]


def says_what_it_is(trial: TaskTrial) -> None:
    """It has a description, two modalities, a recipe and a default forget size."""
    task, cls = trial.task, type(trial.task).__name__
    demand(bool(TASKS.describe(trial.name).strip()), "write a docstring: its first line is what lists show")
    demand(
        len(task.modalities) == 2 and all(isinstance(name, str) for name in task.modalities),
        f"{cls}.modalities is {task.modalities!r}: give two names, such as ('image', 'text')",
    )
    demand(isinstance(task.recipe, Recipe), f"{cls}.recipe must be a mmulbench.Recipe")
    demand(0 < task.forget_fraction < 1, f"{cls}.forget_fraction must lie between 0 and 1")
    demand(task.rerank > 0, f"{cls}.rerank must be above 0")


def settings_can_be_recorded(trial: TaskTrial) -> None:
    """Config is a frozen dataclass of what JSON can hold."""
    config, cls = trial.task.config, type(trial.task).__name__
    demand(is_frozen(type(config)), f"decorate {cls}.Config with @dataclass(frozen=True)")
    try:
        json.dumps(asdict(config), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ContractViolation(f"the settings cannot be written as JSON: {error}") from error


def has_a_backbone(trial: TaskTrial) -> None:
    """Its default backbone exists and serves it."""
    try:
        find_backbone(trial.task.default_backbone, trial.task)
    except UsageError as error:
        raise ContractViolation(f"{type(trial.task).__name__}.default_backbone: {error}") from error


def has_items_of_both_modalities(trial: TaskTrial) -> None:
    """It has items of both modalities, and groups of as many parts as it says."""
    task, items = trial.task, trial.data.items
    demand(
        set(items) == set(task.modalities),
        f"load gives items of {sorted(items)}, but the modalities are {sorted(task.modalities)}",
    )
    for modality, found in items.items():
        demand(isinstance(found, RawItems) and len(found) > 0, f"there are no items of {modality}")
    first = items[task.modalities[0]]
    parts = first.groups.shape[1] if first.groups is not None else 1
    demand(
        parts == task.group,
        f"an item of {task.modalities[0]} has {parts} parts, but {type(task).__name__}.group is {task.group}",
    )


def splits_index_the_items(trial: TaskTrial) -> None:
    """No split is empty, all pairs are of existing items, and no pair is there twice."""
    sizes = [len(trial.data.items[modality]) for modality in trial.task.modalities]
    for name, split in trial.splits.items():
        demand(len(split) > 0, f"the split {name} is empty")
        demand(
            np.array_equal(split.rows, np.arange(len(split))),
            f"the rows of the split {name} are not counted from 0: leave them to Split",
        )
        for modality, column, size in zip(
            trial.task.modalities, (split.first, split.second), sizes, strict=True
        ):
            demand(column.dtype == np.int64, f"the indices of {name} are {column.dtype}: make them int64")
            demand(
                int(column.min()) >= 0 and int(column.max()) < size,
                f"the split {name} names {modality} {column.min()} to {column.max()}, but there are {size}",
            )
        pairs = np.stack([split.first, split.second], 1)
        demand(
            len(np.unique(pairs, axis=0)) == len(split),
            f"the split {name} holds a pair twice: keep one of them",
        )


def splits_share_no_unit(trial: TaskTrial) -> None:
    """No forget unit is in two splits."""
    for (one, left), (other, right) in itertools.combinations(trial.splits.items(), 2):
        shared = np.intersect1d(left.units, right.units)
        demand(
            len(shared) == 0,
            f"{len(shared)} units are in both {one} and {other}: keep all pairs of a unit in one split",
        )


def labels_are_its_classes(trial: TaskTrial) -> None:
    """Pairs have labels exactly where it has classes, and every label is one of them."""
    count = len(trial.task.classes)
    for name, split in trial.splits.items():
        demand(
            (split.label is not None) == bool(count),
            f"the task names {count} classes, but the split {name} has "
            f"{'no labels' if split.label is None else 'labels'}",
        )
        if split.label is not None:
            demand(
                int(split.label.min()) >= 0 and int(split.label.max()) < count,
                f"labels of {name} run from {split.label.min()} to {split.label.max()}, with {count} classes",
            )


def loads_the_same_again(trial: TaskTrial) -> None:
    """Loading again gives the same splits and the same fingerprint, of 64 hexadecimal digits."""
    fingerprint, again = trial.data.fingerprint, trial.again()
    demand(
        len(fingerprint) == 64 and not set(fingerprint) - set("0123456789abcdef"),
        f"the fingerprint is {fingerprint!r}: make it with fingerprint(…) of mmulbench",
    )
    demand(
        fingerprint == again.fingerprint,
        "the fingerprint differs when the data is loaded again: make it from the content, in a fixed order",
    )
    for name, split in trial.splits.items():
        other: Split = getattr(again, name)
        for column in ("first", "second", "label"):
            demand(
                np.array_equal(getattr(split, column), getattr(other, column)),
                f"{column} of {name} differs when the data is loaded again: sort what has no order",
            )


def lists_can_name_its_items(trial: TaskTrial) -> None:
    """Every item has a name for lists of what to forget, and every training pair a value of each column."""
    task, data, cls = trial.task, trial.data, type(trial.task).__name__
    for modality, items in data.items.items():
        names = len(task.item_names(data, modality))
        demand(
            names == len(items), f"{cls}.item_names has {names} names for {len(items)} items of {modality}"
        )
    total = len(data.items[task.modalities[0]])
    for name, named in task.other_names(data).items():
        demand(
            len(named) > 0 and min(named) >= 0 and max(named) < total,
            f"{cls}.other_names says that {name!r} is of {list(named)}, but there are {total} items",
        )
    for column, values in task.pair_columns(data).items():
        demand(
            len(values) == len(data.train),
            f"{cls}.pair_columns has {len(values)} values of {column} for {len(data.train)} training pairs",
        )


def units_are_of_training_items(trial: TaskTrial) -> None:
    """Where units are several items, each training item is of one."""
    numbers, items = trial.task.unit_numbers(trial.data), len(trial.data.train.units)
    if numbers is not None:
        demand(
            numbers.shape == (items,) and np.issubdtype(numbers.dtype, np.integer),
            f"{type(trial.task).__name__}.unit_numbers is {numbers.dtype} of the shape {numbers.shape}: give "
            f"an integer for each of the {items} items data.train.units",
        )


def forget_lists_are_nested(trial: TaskTrial) -> None:
    """A seed's smaller forget sets are the beginnings of its larger ones, all of whole training units."""
    task, data, (small, large) = trial.task, trial.data, _sizes(trial)
    lists = [task.forget_units(data, size, 0).tolist() for size in (small, large, large)]
    demand(
        lists[0] == lists[1][: len(lists[0])],
        "a smaller forget set is no beginning of a larger one: override forget_order instead of forget_units",
    )
    demand(
        lists[1] == lists[2], "the forget set of a seed differs when asked for again: draw by the seed alone"
    )
    demand(
        len(set(lists[1])) == len(lists[1]) and set(lists[1]) <= set(data.train.units.tolist()),
        "forget sets hold items twice, or items that are not in train",
    )
    for size, found in ((small, lists[0]), (large, lists[1])):
        items = np.sort(np.array(found, dtype=np.int64))
        count = task.units_among(data, items)
        demand(count == size, f"a forget set of {size} units holds {count}")
        demand(
            np.array_equal(task.whole_units(data, items), items),
            f"a forget set of {size} units holds a part of one: let forget_order keep the items of a unit "
            "together",
        )


def forget_lists_differ_between_seeds(trial: TaskTrial) -> None:
    """Two seeds forget different units."""
    if trial.task.unit_count(trial.data) < FEWEST:
        raise SkipCheck(f"there are fewer than {FEWEST} training units")
    large = _sizes(trial)[1]
    one, other = (set(trial.task.forget_units(trial.data, large, seed).tolist()) for seed in (0, 1))
    demand(one != other, "seeds 0 and 1 forget the same units: let forget_order depend on the seed")


def refuses_impossible_forget_sizes(trial: TaskTrial) -> None:
    """Nothing, everything and fractions outside 0 to 1 are refused with a UsageError."""
    total = trial.task.unit_count(trial.data)
    for size in (0, -3, total, total + 1, 0.0, 1.0, -0.1, 1.5, float("nan")):
        try:
            trial.task.forget_size(trial.data, size)
        except UsageError:
            continue
        raise ContractViolation(f"forget_size takes {size} of {total} units: leave it as Task has it")


def takes_possible_forget_sizes(trial: TaskTrial) -> None:
    """One unit, all but one, fractions and the default are possible."""
    task, data, total = trial.task, trial.data, trial.task.unit_count(trial.data)
    demand(total > 1, "there is one training unit: nothing would be left to retain")
    for asked, expected in ((1, 1), (total - 1, total - 1), (1e-9, 1), (1 - 1e-9, total - 1)):
        found = task.forget_size(data, asked)
        demand(found == expected, f"forget_size makes {found} of {asked}: leave it as Task has it")
    default = task.forget_size(data, None)
    demand(0 < default < total, f"the default forget size is {default} of {total} units")


def _sizes(trial: TaskTrial) -> tuple[int, int]:
    """Return a small and a large forget size."""
    total = trial.task.unit_count(trial.data)
    demand(total > 1, "there is one training unit: nothing would be left to retain")
    large = min(LISTED, max(total // 2, 1))
    return max(large // 10, 1), large
