from __future__ import annotations

import pytest
from forged import RESULTS, forged

from mmulbench.records.store import ResultsStore
from mmulbench.validity.record import (
    faults,
    findings,
    has_own_command,
    reason_to_leave_out,
    reason_to_make_again,
)


def test_all_committed_records_hold():
    records, unreadable = ResultsStore(RESULTS).load_all()
    assert records and not unreadable
    assert [(one.spec.method, [found.text for found in faults(one)]) for one in records if faults(one)] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"values.test.value": 17.0}, "values.test.value"),
        ({"values.retrain_gap.value": 0.5}, "values.retrain_gap.value"),
        ({"command": "rm -rf ~"}, "command"),
        ({"finished": "2020-01-01T00:00:00Z"}, "finished"),
        ({"by_unit.mia/matching.0": 7.0}, "by_unit.mia/matching"),
        ({"spec.config.lr": -1.0, "code": {}}, "spec.config.lr"),
    ],
)
def test_every_part_of_a_record_is_looked_at(changes, field):
    assert field in {one.field for one in faults(forged(changes))}


def test_the_reason_is_one_line_with_the_number_of_others():
    assert reason_to_leave_out(forged({})) is None
    assert reason_to_leave_out(forged({"reason": "none"})) == (
        "reason is none; it should be null, since the status is done"
    )
    both = reason_to_leave_out(forged({"reason": "none", "command": "rm"}))
    assert both is not None and both.endswith(" (and 1 more: mmulbench validate)")


def test_values_of_another_metric_version_cannot_be_checked():
    found = list(findings(forged({"spec.metric_version": "1", "values.test.value": 17.0})))
    assert [one.field for one in found if not one.is_fault] == ["values"]
    assert not any(one.is_fault for one in found)


def test_a_wrong_command_is_no_reason_to_make_a_run_again():
    record = forged({"command": "rm -rf ~"})
    assert reason_to_make_again(record) is None and not has_own_command(record)
    assert reason_to_leave_out(record) is not None
    record = forged({"values.test.value": 17.0})
    assert "values.test.value is 17" in str(reason_to_make_again(record)) and has_own_command(record)
