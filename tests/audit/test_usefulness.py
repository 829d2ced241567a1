from __future__ import annotations

from audited import without_retrain
from forged import forged

from mmulbench.audit.usefulness import utilities
from mmulbench.records.published import UTILITY_TOLERANCE


def of_test(changes):
    return utilities(forged(changes))[0]


def test_the_numbers_are_those_of_the_record():
    record = forged({})
    assert [(one.value, one.retrain, one.original) for one in utilities(record)] == [
        (value.value, value.retrain, value.original)
        for value in (record.values["test"], record.values["retain"])
    ]


def test_what_is_lost_is_told_by_the_tolerance_of_the_verdict():
    reference = {"values.test.retrain": 0.5}
    assert (
        of_test(reference | {"values.test.value": 0.5 - UTILITY_TOLERANCE}).finding == "kept, beside retrain"
    )
    lost = of_test(reference | {"values.test.value": 0.46})
    assert (lost.finding, lost.difference) == ("lost, beside retrain", "−4.0")
    assert of_test(reference | {"values.test.value": 0.9}).finding == "kept, beside retrain"


def test_without_retrain_it_is_compared_with_the_original():
    assert {one.finding.rpartition(", ")[2] for one in utilities(without_retrain(forged({})))} == {
        "beside the original"
    }
    alone = {"values.test.retrain": None, "values.test.original": None}
    assert of_test(alone)[-2:] == ("–", "not known")


def test_a_failed_run_has_none():
    assert utilities(forged({"values": {}, "status": "failed", "reason": "no room"})) == []
