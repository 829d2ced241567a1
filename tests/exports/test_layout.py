from __future__ import annotations

from pathlib import Path

import pytest
import torch
from given_models import CLASSES, RETRIEVAL, loud, opened

from mmulbench.core.backbone import TaskShape
from mmulbench.errors import UsageError
from mmulbench.exports.layout import described, fill

PLACE = Path("given")


@pytest.fixture(scope="module")
def model():
    return loud(opened("gtnn:tiny"), CLASSES)


def test_all_weights_are_taken_and_further_ones_left(model):
    found = {name: torch.full_like(value, 3) for name, value in model.state_dict().items()}
    other = loud(opened("gtnn:tiny"), CLASSES)
    fill(other, {**found, "more": torch.ones(2)}, PLACE, CLASSES)
    assert all((value == 3).all() for value in other.state_dict().values())


def test_what_is_missing_is_named_by_its_parts(model):
    found = {name: value for name, value in model.state_dict().items() if not name.startswith("classes")}
    with pytest.raises(UsageError, match="given lacks the head: it holds no model for 3 classes"):
        fill(model, found, PLACE, CLASSES, names={"classes": "the head"})
    fill(model, found, PLACE, CLASSES, optional=frozenset({"classes.weight", "classes.bias"}))


def test_other_shapes_are_refused(model):
    found = {**model.state_dict(), "classes.bias": torch.zeros(4)}
    with pytest.raises(UsageError, match=r"classes.bias with the shape \(4,\), but .* 3 classes has \(3,\)"):
        fill(model, found, PLACE, CLASSES)


def test_shapes_in_words():
    assert described(RETRIEVAL) == "retrieval"
    assert described(TaskShape(2, 3)) == "2 classes of 3 images or nodes each"
