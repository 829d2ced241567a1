from __future__ import annotations

import pytest

from mmulbench.metrics.distance import retrain_gap

RETRAIN = {"test": 0.6, "retain": 0.9, "forget": 0.5, "mia": 0.46, "mi_ratio": 3.0}


def test_retrain_judged_against_itself_has_no_gap():
    assert retrain_gap(RETRAIN, RETRAIN) == 0


def test_gap_counts_both_sides_and_only_its_keys():
    values = {"test": 0.5, "retain": 1.0, "forget": 0.9, "mia": 0.66, "mi_ratio": 99.0}
    assert retrain_gap(values, RETRAIN) == pytest.approx((0.1 + 0.1 + 0.4 + 0.2) / 4)
    assert retrain_gap(values, RETRAIN, keys=("forget", "mia")) == pytest.approx(0.3)


@pytest.mark.parametrize("key", ["test", "retain", "forget", "mia"])
def test_a_missing_measure_means_no_gap(key):
    lacking = {name: value for name, value in RETRAIN.items() if name != key}
    assert retrain_gap(lacking, RETRAIN) is None
    assert retrain_gap(RETRAIN, {**RETRAIN, key: None}) is None


def test_a_measure_of_zero_is_not_missing():
    assert retrain_gap({**RETRAIN, "mia": 0.0}, {**RETRAIN, "mia": 0.0}) == 0
