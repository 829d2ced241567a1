from __future__ import annotations

import pytest
from forged import committed, forged

from mmulbench.validity.outcome import check_outcome


def found(changes, method="mmul"):
    return {one.field: one.text for one in check_outcome(forged(changes, method))}


@pytest.mark.parametrize("method", ["mmul", "retrain", "original"])
def test_a_committed_record_holds(method):
    assert found({}, method) == {}


def test_a_run_does_not_end_before_it_began():
    assert "not before it started, 20" in found({"finished": "2020-01-01T00:00:00Z"})["finished"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"values": {}}, {"values"}),
        ({"cost": None}, {"cost"}),
        ({"reason": "none"}, {"reason"}),
        ({"status": "failed", "reason": "it broke"}, {"status"}),
        ({"status": "diverged", "values": {}, "cost": None}, {"reason"}),
        ({"status": "failed", "values": {}, "cost": None, "reason": "it broke"}, set()),
    ],
)
def test_status_values_and_reason_agree(changes, fields):
    assert found(changes).keys() == fields


@pytest.mark.parametrize(
    ("changes", "method", "field"),
    [
        ({"cost.flops": -1.0}, "mmul", "cost.flops"),
        ({"cost.flops": None}, "mmul", "cost.flops_ratio"),
        ({"cost.seconds": 0.0}, "mmul", "cost.seconds_ratio"),
        ({"cost.seconds_ratio": 0.5}, "retrain", "cost.seconds_ratio"),
        ({"cost.flops_ratio": 0.0}, "mmul", "cost.flops_ratio"),
        ({"cost.seconds_ratio": None}, "mmul", "cost.seconds_ratio"),
    ],
)
def test_ratios_agree_with_their_parts(changes, method, field):
    assert found(changes, method).keys() == {field}


def test_shadow_values_need_shadow_models():
    fields = committed()["values"]["mia"]
    assert found({"values.u_lira": fields}).keys() == {"shadows"}
    assert found({"values.u_lira": fields, "shadows": 8}) == {}


def test_origins_are_of_the_settings_and_of_the_study():
    fields = committed()
    spec = fields["spec"]
    names = [*spec["config"], *(f"recipe.{one}" for one in spec["recipe"])]
    names += [f"task.{one}" for one in spec["task_config"]]
    origins = dict.fromkeys(names, "default")
    assert found({"origins": origins}) == {}
    assert found({"origins": {**origins, "lr": "study 0123456789ab"}}).keys() == {"origins.lr"}
    assert found({"origins": {**origins, "other": "default"}}).keys() == {"origins"}
    del origins["lr"]
    assert found({"origins": origins}).keys() == {"origins"}
