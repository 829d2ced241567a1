from __future__ import annotations

import hashlib
import json

import pytest
from audited import audited, audited_with
from forged import committed, forged, forged_fields, stored

from mmulbench.audit.gather import LEFT_OUT, Choices, gather_audit
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.published import MINIMUM_UNITS
from mmulbench.report.verdict import verdict

LIST = {"digest": "a" * 64, "level": "units", "pairs": 624}


def test_it_says_the_verdict_and_names_the_file(tmp_path):
    path = stored(tmp_path, committed())
    audit = gather_audit(path, Choices())
    assert audit.judgement.sentence == verdict(forged({}))
    assert audit.judgement.kind == "did not forget" and audit.judgement.lost_utility
    assert audit.examples.reason == LEFT_OUT
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert any(fact.text == digest for fact in audit.made)


def test_the_rule_has_the_numbers_of_this_run():
    rule = audited_with({}).rule
    assert (rule.units, round(rule.tolerance, 9), rule.noise_is_known) == (MINIMUM_UNITS, 3, False)
    assert rule.noise == 0.05 and 0.1 < rule.resolution < 0.11
    assert audited_with({"status": "failed", "reason": "x", "values": {}}).rule.noise is None


def test_a_record_that_does_not_hold_has_no_report(tmp_path):
    path = stored(tmp_path, forged_fields({"values.test.value": 17.0}))
    with pytest.raises(MmulbenchError, match=r"no report is made of a record that does not hold.*test.value"):
        gather_audit(path, Choices())


def test_ids_that_are_not_there_cannot_be_shown(tmp_path):
    path = stored(tmp_path, committed())
    with pytest.raises(UsageError, match=r"--show-ids: .* holds no ids"):
        gather_audit(path, Choices(show_ids=True))


def test_ids_are_nowhere_unless_they_are_wanted():
    record = forged({"spec.forget": LIST, "forget_ids": ["person-4711"]})
    assert "4711" not in json.dumps(audited(record).as_json())
    assert "4711" in json.dumps(audited(record, show_ids=True).as_json())


def test_nothing_in_a_text_is_hidden():
    audit = audited_with({"missing": ["a\u0007\u202eb\n\nc"], "environment.platform": "\u001b[2J"})
    texts = json.dumps(audit.as_json(), ensure_ascii=False)
    assert not {"\x1b", "\x07", "\u202e"} & set(texts)
    assert any(r"a\x07\u202eb c" in one.text for one in audit.limits)


def test_json_has_the_numbers_of_the_record():
    record = forged({})
    found = json.loads(json.dumps(audited(record).as_json()))
    assert [one["value"] for one in found["attacks"]] == [
        record.values[f"mia/{one['path']}"].value for one in found["attacks"]
    ]
    assert found["utilities"][0]["value"] == record.values["test"].value
    assert found["judgement"]["kind"] == "did not forget"
    assert {"label": "Record", "text": record.run_id, "is_code": True} in found["made"]
