from __future__ import annotations

import time

from forged import committed, forged_fields, stored

from mmulbench.records.store import ResultsStore
from mmulbench.validity.record import faults
from mmulbench.validity.sift import load_valid


def test_what_does_not_hold_is_left_out_by_name(tmp_path):
    good = stored(tmp_path, committed("scrub"))
    bad = stored(tmp_path, forged_fields({"values.test.value": 17.0}))
    (tmp_path / "emoji" / "broken.json").write_text("{")
    records, left_out = load_valid(tmp_path)
    assert [ResultsStore(tmp_path).path(one.spec) for one in records] == [good]
    assert [one.path for one in left_out] == [bad, tmp_path / "emoji" / "broken.json"]
    assert left_out[0].reason.startswith("values.test.value is 17; it should be in the range from 0 to 1")
    assert load_valid(tmp_path, "flags") == ([], [])


def test_a_record_is_checked_in_less_than_a_millisecond(tmp_path):
    stored(tmp_path, committed())
    (record,), _ = load_valid(tmp_path)
    start = time.process_time()
    for _ in range(100):
        faults(record)
    assert time.process_time() - start < 0.1 * 3  # three times what is meant, for a busy machine
