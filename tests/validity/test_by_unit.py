from __future__ import annotations

import pytest
from forged import committed, forged

from mmulbench.validity.by_unit import check_units


def found(changes, method="mmul"):
    return {one.field: one.text for one in check_units(forged(changes, method))}


@pytest.mark.parametrize("method", ["mmul", "retrain", "original"])
def test_a_committed_record_holds(method):
    assert found({}, method) == {}


def test_units_are_as_many_as_are_forgotten():
    short = {name: numbers[1:] for name, numbers in committed()["by_unit"].items()}
    assert found({"by_unit": short})["by_unit"] == "by_unit has 63 units; it should be 64, the forget size"


def test_a_unit_may_be_several_items():
    assert found({"spec.forget_size": 32}) == {}


def test_the_mean_of_units_is_the_value():
    numbers = [0.5] * len(committed()["by_unit"]["pairs"])
    place = "values.mia/contrastive.value"
    assert found({"by_unit.mia/contrastive": numbers})[place].endswith(
        "it should be 0.5000, the mean of by_unit"
    )


def test_a_unit_out_of_range_is_found_though_the_mean_is_right():
    fields = committed()
    pairs, numbers = fields["by_unit"]["pairs"], list(fields["by_unit"]["mia/matching"])
    numbers[0] += 50 / pairs[0]
    numbers[1] -= 50 / pairs[1]
    assert found({"by_unit.mia/matching": numbers}).keys() == {"by_unit.mia/matching"}


def test_pairs_are_those_that_values_rest_on():
    pairs = list(committed()["by_unit"]["pairs"])
    pairs[3] += 1
    fields = found({"by_unit.pairs": pairs})
    assert {"values.agreement/matching.n", "histograms.matching.before.forget"} <= fields.keys()


def test_bins_before_and_after_count_the_same_pairs():
    counts = list(committed()["histograms"]["matching"]["after"]["forget"])
    counts[10] += 5
    assert found({"histograms.matching.after.forget": counts}).keys() == {"histograms.matching.after"}
