"""A head that is fitted to fused representations tells which pairs the encoders know by heart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from labelled_toys import LabelledToy

from mmulbench.core.data import Features, Relations, Split
from mmulbench.errors import Diverged
from mmulbench.evaluation.measure import EvaluationSets
from mmulbench.evaluation.probe import probe_losses
from mmulbench.metrics.memory import memory

SIZES = {"retain": 80, "forget": 20, "test": 40}


def sets_of(known: tuple[str, ...], labels: int = 3) -> EvaluationSets:
    """Units of one pair each; the images of some sets say which class they have, others are noise."""
    rng, splits, images = np.random.default_rng(0), {}, []
    for name, count in SIZES.items():
        first = np.arange(count) + len(images)
        label = rng.integers(labels, size=count)
        splits[name] = Split(first, np.zeros(count, dtype=np.int64), label)
        told = np.eye(3, 2)[label] * 4 if name in known else np.zeros((count, 2))
        images += (told + rng.normal(size=(count, 2))).tolist()
    arrays = {"image": {"x": torch.tensor(images).float()}, "text": {"x": torch.ones(1, 2)}}
    relations = Relations(*splits.values())
    return EvaluationSets(
        splits, splits["test"], relations, Features(arrays, torch.device("cpu")), ("image", "text"), 1, 3
    )


def probed(sets: EvaluationSets, seed: int = 0):
    found = probe_losses(LabelledToy(), sets, seed)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("known", "seen"),
    [((), False), (("retain",), False), (("retain", "forget"), True), (("retain", "forget", "test"), False)],
)
def test_what_the_encoders_know_shows(known, seen):
    losses, units = probed(sets_of(known))
    assert memory(losses, units).is_seen == seen


def test_the_head_is_judged_on_other_units_than_it_is_fitted_on():
    sets = sets_of(("retain",))
    losses, units = probed(sets)
    assert len(losses["retain"]) == len(units["retain"]) == 40
    assert {name: len(one) for name, one in losses.items()} == {**SIZES, "retain": 40}
    other, others = probed(sets, 1)
    assert set(others["retain"]) != set(units["retain"])
    again, _ = probed(sets)
    assert all(np.array_equal(again[name], one) for name, one in losses.items())
    assert not np.array_equal(other["test"], losses["test"])


def test_a_single_class_teaches_nothing():
    assert probe_losses(LabelledToy(), sets_of((), labels=1), 0) is None


def test_a_class_that_was_not_fitted_is_as_unlikely_as_can_be_said():
    sets = sets_of(("retain",), labels=2)
    test = sets.splits["test"]
    assert test.label is not None
    test.label[0] = 2
    losses, _ = probed(sets)
    assert losses["test"][0] == losses["test"].max() > 20


def test_a_representation_that_is_no_number():
    model = LabelledToy()
    model.fusion.weight.data.fill_(torch.nan)
    with pytest.raises(Diverged, match="a fused representation is NaN"):
        probe_losses(model, sets_of(()), 0)
