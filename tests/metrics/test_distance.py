from __future__ import annotations

import pytest

from mmulbench.metrics.distance import retrain_gap

RETRAIN = {"test": 0.6, "retain": 0.9, "forget": 0.5, "mia": 0.46}


def test_retrain_judged_against_itself_has_no_gap():
    assert retrain_gap(RETRAIN, RETRAIN) == 0


def test_gap_counts_both_sides():
    values = {"test": 0.5, "retain": 1.0, "forget": 0.9, "mia": 0.66}
    assert retrain_gap(values, RETRAIN) == pytest.approx((0.1 + 0.1 + 0.4 + 0.2) / 4)


@pytest.mark.parametrize("key", ["test", "retain", "forget", "mia"])
def test_a_missing_measure_is_refused(key):
    lacking = {name: value for name, value in RETRAIN.items() if name != key}
    for pair in ((lacking, RETRAIN), (RETRAIN, lacking)):
        with pytest.raises(ValueError, match="give both the same"):
            retrain_gap(*pair)


def test_without_measures_there_is_no_gap():
    with pytest.raises(ValueError, match="measures"):
        retrain_gap({}, {})


def test_a_measure_of_zero_is_not_missing():
    assert retrain_gap({**RETRAIN, "mia": 0.0}, {**RETRAIN, "mia": 0.0}) == 0


def test_paths_count_once_with_the_one_furthest_from_retrain():
    retrain = {"test": 0.6, "mia/contrastive": 0.5, "mia/matching": 0.4}
    own = {"test": 0.5, "mia/contrastive": 0.8, "mia/matching": 0.3}
    assert retrain_gap(own, retrain) == pytest.approx((0.1 + 0.3) / 2)
    # The side does not matter, and neither does which path it is.
    over = {**own, "mia/contrastive": 0.5, "mia/matching": 0.1}
    assert retrain_gap(over, retrain) == pytest.approx((0.1 + 0.3) / 2)
