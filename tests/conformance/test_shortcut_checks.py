"""Each check for shortcuts fails on data with one, and is a caveat where others published the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmulbench.conformance.checks import Check, Outcome, run_check
from mmulbench.conformance.shortcut_checks import (
    counting_tells_no_class,
    no_text_or_group_is_there_twice,
    pictures_have_no_twins,
    popularity_finds_no_text,
)
from mmulbench.conformance.task_trial import TaskTrial
from mmulbench.conformance.tiny_tasks import PairsTask, TinyTask, TwoImagesTask
from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Split
from mmulbench.core.data_info import DataInfo
from mmulbench.core.task import Task, TaskData
from mmulbench.progress import Progress

PUBLISHED = DataInfo(about="", terms="", source="", layout=("tiny/data.tsv",))
UNITS, TEXTS = 400, 40


class Coins(TinyTask):
    """Has two classes."""

    classes = ("no", "yes")
    forget_fraction = 0.1


class ManyTexts(TinyTask):
    """Forgets a tenth."""

    forget_fraction = 0.1


def run(check, task: Task, data: TaskData) -> Outcome:
    return run_check(Check(check), [TaskTrial("tiny", task, data, lambda: data)])


def published(task: Task) -> Task:
    return type("Published", (type(task),), {"info": PUBLISHED})()


def labelled(exact: bool, prior: float = 0.0) -> TaskData:
    """500 units with a text each, of 40; labels by coins, or balanced exactly for each text."""
    rng = np.random.default_rng(0)
    number = np.arange(UNITS + 100)
    coins = rng.random(len(number)) < 0.5 + prior * np.where(number % TEXTS < TEXTS // 2, 1, -1)
    label = number // TEXTS % 2 if exact else coins.astype(np.int64)
    images = rng.integers(0, 256, (len(number), 8, 8, 3), dtype=np.uint8)
    items = {"image": RawItems(images=images), "text": RawItems(texts=[f"text {i}" for i in range(TEXTS)])}
    train, validation, test = (
        Split(number[part], number[part] % TEXTS, label[part])
        for part in (slice(UNITS), slice(UNITS, UNITS + 1), slice(UNITS + 1, None))
    )
    return TaskData(items, train, validation, test, fingerprint="")


def retrieval(popular: bool) -> TaskData:
    """500 units with a text of their own or one that most share, or none does."""
    rng, number = np.random.default_rng(0), np.arange(UNITS + 100)
    second = np.where(rng.random(len(number)) < 0.65, 0, number + 1) if popular else number + 1
    data = labelled(exact=False)
    texts = RawItems(texts=[f"text {i}" for i in range(len(number) + 1)])
    train, validation, test = (
        Split(number[part], second[part])
        for part in (slice(UNITS), slice(UNITS, UNITS + 1), slice(UNITS + 1, None))
    )
    return TaskData({"image": data.items["image"], "text": texts}, train, validation, test, fingerprint="")


def test_exact_balance_fails_and_coins_pass():
    outcome = run(counting_tells_no_class, Coins(), labelled(exact=True))
    assert outcome.status == "failed" and "draw labels so that" in outcome.reason
    assert "counting " in outcome.reason and " AUC of " in outcome.reason
    outcome = run(counting_tells_no_class, Coins(), labelled(exact=False))
    assert outcome.status == "passed" and "on deleted pairs" in outcome.reason


def test_published_data_with_a_shortcut_is_a_caveat():
    outcome = run(counting_tells_no_class, published(Coins()), labelled(exact=True))
    assert outcome.status == "noted" and "what is left tells what was deleted" in outcome.reason


@pytest.mark.parametrize(
    ("prior", "status", "reason"),
    [(0.3, "noted", "a prior that models may use"), (0.5, "failed", "no model is needed")],
)
def test_a_prior_is_a_caveat_and_one_that_solves_the_task_fails(prior, status, reason):
    outcome = run(counting_tells_no_class, Coins(), labelled(exact=False, prior=prior))
    assert outcome.status == status and reason in outcome.reason


@pytest.mark.parametrize("check", [counting_tells_no_class, popularity_finds_no_text])
def test_few_units_and_other_kinds_are_skipped(check):
    tiny = [run(check, task, task.load(Path(), Progress())) for task in (PairsTask(), TinyTask())]
    assert {outcome.status for outcome in tiny} == {"skipped"}
    assert any("different units are too few" in outcome.reason for outcome in tiny)


def test_popular_texts_are_a_prior_of_retrieval():
    outcome = run(popularity_finds_no_text, ManyTexts(), retrieval(popular=False))
    assert outcome.status == "passed" and "(chance 0." in outcome.reason
    outcome = run(popularity_finds_no_text, ManyTexts(), retrieval(popular=True))
    assert outcome.status == "failed" and "no model is needed" in outcome.reason


def test_near_twins_fail_across_splits_and_across_the_deletion():
    data = labelled(exact=False)
    assert run(pictures_have_no_twins, Coins(), data).status == "passed"
    for change in (slice(UNITS + 1, UNITS + 11), slice(100, 300)):
        images = data.items["image"].images.copy()
        images[change] = images[: len(images[change])]
        items = {**data.items, "image": RawItems(images=images)}
        outcome = run(pictures_have_no_twins, Coins(), replace(data, items=items))
        assert outcome.status == "failed" and "have a near twin in training" in outcome.reason
        assert run(pictures_have_no_twins, published(Coins()), replace(data, items=items)).status == "noted"


def test_pictures_of_pairs_are_looked_at_between_splits_alone():
    task = TwoImagesTask()
    outcome = run(pictures_have_no_twins, task, task.load(Path(), Progress()))
    assert outcome.status == "passed" and "deleted" not in outcome.reason


def test_equal_texts_and_equal_groups_are_found():
    task = TwoImagesTask()
    data = task.load(Path(), Progress())
    assert run(no_text_or_group_is_there_twice, task, data).status == "passed"
    images, texts = data.items["image"], data.items["text"].texts
    twice = RawItems(images=images.images, groups=images.groups[[0, *range(len(images) - 1)]])
    items = {"image": twice, "text": RawItems(texts=[*texts[:-1], texts[0]])}
    outcome = run(no_text_or_group_is_there_twice, task, replace(data, items=items))
    assert outcome.status == "failed"
    assert (
        outcome.reason.startswith("1 items of text have the words of another")
        and "1 items of image" in outcome.reason
    )
