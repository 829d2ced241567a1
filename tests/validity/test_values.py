from __future__ import annotations

import pytest
from forged import forged

from mmulbench.core.metric import Needs, PathMetric
from mmulbench.core.observations import Estimate
from mmulbench.core.registry import METRICS
from mmulbench.records.schema import Value
from mmulbench.validity.values import check_values, metric_called


def found(changes):
    return [one.text for one in check_values(forged(changes))]


def test_a_committed_record_holds():
    assert found({}) == []


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        ("values.test.value", 17.0, "is 17; it should be in the range from 0 to 1"),
        ("values.test/i2t_r@1.value", 1.01, "is 1.01; it should be in the range from 0 to 1"),
        ("values.mia/matching.retrain", -0.1, "is -0.1; it should be in the range from 0 to 1"),
        ("values.retrain_gap.original", 2.0, "is 2; it should be in the range from 0 to 1"),
        ("values.agreement.value", -1.5, "is -1.5; it should be in the range from -1 to 1"),
        (
            "values.agreement/matching/residual_sd.value",
            -1.0,
            "is -1; it should be in the range from 0 to inf",
        ),
        ("values.unimodal_probe/text.value", 1.1, "is 1.1; it should be in the range from -inf to 1"),
        ("values.mi_ratio/matching/ratio.chance", -1.0, "is -1; it should be in the range from 0 to inf"),
        ("values.mia.direction", "lower", "is lower; it should be closest_to_retrain"),
        ("values.test.n", 0, "is 0; it should be above 0, since there is a value"),
    ],
)
def test_a_value_out_of_its_range_is_found(place, value, text):
    assert found({place: value}) == [f"{place} {text}"]


def test_ends_of_an_interval_are_two_and_in_order():
    assert found({"values.mia.low": 0.9, "values.mia.high": 0.1}) == [
        "values.mia has the interval's ends 0.9 and 0.1; it should be the lower one first"
    ]
    assert found({"values.mia.low": None}) == [
        "values.mia has one end of an interval; it should be both ends or none"
    ]


def test_a_metric_that_is_not_known_here_has_any_value():
    record = forged({})
    odd = Value(value=99.0, n=1, direction="lower")
    other = record.model_copy(update={"values": {**record.values, "homemade": odd, "homemade/matching": odd}})
    assert metric_called("homemade") is None
    assert list(check_values(other)) == []


def test_a_metric_that_is_registered_later_is_known_then():
    record = forged({})
    odd = Value(value=99.0, n=1, direction="lower")
    other = record.model_copy(update={"values": {**record.values, "late/matching": odd}})
    assert list(check_values(other)) == []

    @METRICS.register("late")
    class Late(PathMetric):
        title, definition, source, chance = "Late", "late", "my own", None
        direction, needs, bounds = "lower", Needs(losses=("forget",)), (0.0, 1.0)

        def compute(self, observation):
            return {"headline": Estimate(0.0, 1)}

    try:
        assert [one.field for one in check_values(other)] == ["values.late/matching.value"]
    finally:
        METRICS.discard("late")
    assert list(check_values(other)) == []
