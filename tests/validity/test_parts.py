from __future__ import annotations

import pytest
from forged import committed, forged

from mmulbench.records.schema import RunResult
from mmulbench.validity.parts import check_parts, is_close


def found(changes, method="mmul"):
    return {one.field: one.text for one in check_parts(forged(changes, method))}


def number(place):
    name, field = place.removeprefix("values.").rsplit(".", 1)
    return committed()["values"][name][field]


@pytest.mark.parametrize("method", ["mmul", "retrain", "original", "scrub"])
def test_a_committed_record_holds(method):
    assert found({}, method) == {}


@pytest.mark.parametrize("field", ["value", "retrain", "original"])
def test_a_gap_that_its_parts_do_not_make_is_found(field):
    place = f"values.retrain_gap.{field}"
    text = found({place: 0.7})[place]
    assert f"is 0.7; it should be {number(place):.10g} by test, retain, forget, mia" in text


@pytest.mark.parametrize("part", ["test", "retain", "forget", "mia/contrastive", "mia/matching"])
def test_a_forged_part_disagrees_with_its_gap_or_headline(part):
    flipped = (number(f"values.{part}.value") + 0.31) % 1
    fields = found({f"values.{part}.value": flipped})
    assert {"values.retrain_gap.value", "values.mia.value", "values.mia"} & fields.keys() or any(
        field.startswith("values.mia") for field in fields
    )


def test_a_headline_is_that_of_its_worst_path():
    best = {field: committed()["values"]["mia/contrastive"][field] for field in ("value", "retrain")}
    worst = committed()["values"]["mia/matching"]["value"]
    text = found({f"values.mia.{field}": one for field, one in best.items()})["values.mia.value"]
    assert text.endswith(f"it should be {worst:.10g}, as its parts say")


def test_a_single_recall_disagrees_with_its_headline():
    text = found({"values.test/i2t_r@1.value": 0.999})["values.test.value"]
    assert "by the mean of its recalls" in text


def test_what_follows_from_a_headline_agrees_with_it():
    assert found({"values.mia/matching/advantage.value": 0.01}).keys() == {
        "values.mia/matching/advantage.value"
    }
    assert found({"values.mi_ratio/matching/ratio.original": 3.0}).keys() == {
        "values.mi_ratio/matching/ratio.original"
    }


def test_a_headline_without_paths_and_paths_without_a_headline_are_found():
    for gone in ("mia/", "agreement/"):
        fields = committed()
        fields["values"] = {name: one for name, one in fields["values"].items() if not name.startswith(gone)}
        faults = {one.field for one in check_parts(RunResult.model_validate(fields))}
        assert f"values.{gone[:-1]}" in faults
    fields = committed()
    del fields["values"]["agreement"], fields["values"]["test"]
    faults = {one.text for one in check_parts(RunResult.model_validate(fields))}
    assert "values.agreement is missing; it should be there, since its parts are" in faults
    assert "values.test is missing; it should be there, since retrain_gap is computed of it" in faults


def test_retrain_of_one_path_alone_is_found():
    assert "values.mia.retrain" in found({"values.mia/matching.retrain": None})


def test_null_parts_have_a_null_headline():
    parts = {"values.agreement/matching.value": None, "values.agreement/contrastive.value": None}
    assert found(parts).keys() == {"values.agreement.value"}
    assert found({**parts, "values.agreement.value": None}) == {}


def test_a_headline_may_be_null_where_the_record_says_why():
    nothing = {"values.agreement": {"value": None, "n": 0, "direction": "higher"}}
    assert found(nothing).keys() >= {"values.agreement.value"}
    assert found({**nothing, "missing": ["agreement: too few pairs (matching)"]}) == {}
    gap = {"values.retrain_gap": {"value": None, "n": 0, "direction": "lower"}}
    assert found(gap).keys() >= {"values.retrain_gap.value"}
    assert found({**gap, "missing": ["retrain_gap: it reads mia, which has no value"]}) == {}


def test_numbers_are_close_but_for_rounding():
    assert is_close(None, None) and is_close(0.1 + 0.2, 0.3) and is_close(0.0, 1e-12)
    assert not is_close(None, 0.0) and not is_close(0.3, 0.30001)
