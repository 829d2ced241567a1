from __future__ import annotations

import pytest
from measured_by_hand import ORIGINAL, RETRAIN, UNITS, levels, measurements

from mmulbench.core.observations import Measurements
from mmulbench.evaluation.distance import distance_to_retrain
from mmulbench.evaluation.values import compute_values

BY_PATH = {"contrastive": levels(0, 4, 0), "matching": levels(0, 4, 2)}


def model(test: float, retain: float) -> Measurements:
    return measurements({"test": test, "retain": retain, "forget": 0.5}, BY_PATH, 2)


def test_the_gap_is_that_of_a_record():
    found = model(0.45, 0.8)
    values, _ = compute_values(found, ORIGINAL, RETRAIN, UNITS, seed=0)
    assert distance_to_retrain(found, ORIGINAL, RETRAIN, UNITS).gap == values["retrain_gap"].value > 0


@pytest.mark.parametrize(
    ("test", "retain", "lost"),
    [
        (0.50, 0.90, 0.0),
        (0.45, 0.90, 0.05),
        (0.50, 0.70, 0.2),
        (0.45, 0.70, 0.2),  # not their sum
        (0.45, 0.95, 0.05),  # a gain on Dr makes up for nothing
        (0.60, 0.95, -0.05),
    ],
)
def test_the_larger_loss_counts(test, retain, lost):
    reference = model(0.5, 0.9)
    found = distance_to_retrain(model(test, retain), reference, reference, UNITS)
    assert found.lost == pytest.approx(lost)


@pytest.mark.parametrize(("original", "retrain"), [(0.50, 0.54), (0.54, 0.50)])
def test_what_the_original_or_retrain_lacks_is_no_loss(original, retrain):
    """The known answer that a loss beside retrain alone failed: the untouched original had lost utility."""
    before, reference = model(original, 0.9), model(retrain, 0.9)
    assert distance_to_retrain(before, before, reference, UNITS).lost <= 0.0
    assert distance_to_retrain(reference, before, reference, UNITS).lost <= 0.0
    assert distance_to_retrain(model(0.45, 0.9), before, reference, UNITS).lost == pytest.approx(0.05)
