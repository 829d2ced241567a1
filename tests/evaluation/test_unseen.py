"""Validation pairs as the unseen reference, on planted losses of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged
from mmulbench.evaluation.unseen import validation_values
from mmulbench.metrics.separation import auc_by_units

SIZES = {"forget": 120, "test": 300, "validation": 200}
UNITS = {name: np.repeat(np.arange(size // 2), 2) for name, size in SIZES.items()}


def losses(seed=0, **shift):
    """Losses of unseen pairs, those of some sets moved."""
    rng = np.random.default_rng(seed)
    return {name: rng.gamma(4.0, 0.5, size) + 2 + shift.get(name, 0.0) for name, size in SIZES.items()}


def found(seed=0, **shift):
    own = {"matching": losses(seed, **shift)}
    return validation_values(own, {"matching": losses(seed, forget=-1.5)}, UNITS, seed=3)


def told(value):
    return "like" if value.low <= 0.5 <= value.high else "surer" if value.low > 0.5 else "less sure"


@pytest.mark.parametrize(
    ("shift", "against", "validation"),
    [
        ({}, "like", "like"),  # a perfect retrain
        ({"forget": -1.5}, "surer", "like"),  # the untouched original
        ({"forget": 1.5}, "less sure", "like"),  # over-forgotten
        ({"forget": -1.5, "validation": -1.5}, "like", "surer"),  # both easier than test pairs, none was seen
        ({"forget": -1.5, "validation": -1.5, "test": -1.5}, "like", "like"),  # uniformly shifted
    ],
)
def test_planted_models_are_told_apart(shift, against, validation):
    values = found(**shift)
    assert told(values["mia/matching/against_validation"]) == against
    assert told(values["mia/matching/validation"]) == validation


def test_intervals_cover_an_unseen_set_as_often_as_they_say():
    likes = [told(found(seed)["mia/matching/against_validation"]) == "like" for seed in range(20)]
    assert sum(likes) >= 17  # of 20, where 95 % are 19


def test_numbers_are_those_of_the_attack_with_the_sets_exchanged():
    value, own = found(forget=-0.5)["mia/matching/validation"], losses(forget=-0.5)
    auc = auc_by_units(own["validation"], UNITS["validation"], own["test"], UNITS["test"], 3)
    assert (value.value, value.low, value.high) == (auc.value, auc.low, auc.high)
    assert (value.n, value.chance, value.retrain) == (500, 0.5, None)
    against = found(forget=-0.5)["mia/matching/against_validation"]
    assert against.n == 320 and against.original > against.value > 0.5


def test_a_path_without_losses_of_a_set_has_none():
    own = losses()
    both = {"matching": own, "contrastive": {"forget": own["forget"], "test": own["test"]}}
    assert {name.split("/")[1] for name in validation_values(both, both, UNITS, 0)} == {"matching"}
    empty = {"matching": {**own, "validation": np.empty(0)}}
    assert validation_values(empty, empty, UNITS, 0) == {}


def test_a_loss_that_is_none_diverges():
    own = losses()
    own["validation"][3] = np.nan
    with pytest.raises(Diverged):
        validation_values({"matching": own}, {"matching": losses()}, UNITS, 0)
