"""What lies around a record counts only where it holds together."""

from __future__ import annotations

import pytest
from forged import committed, forged
from planted_results import Planted, World

from mmulbench.records.store import ResultsStore
from mmulbench.report.surroundings import changed_since, floor_beside


@pytest.fixture
def stored(tmp_path):
    store = ResultsStore(tmp_path)
    records = World(shares=True, seeds=(42,)).records({"mmul": Planted()}, draws=3)
    for record in records:
        store.write(record)
    (own,) = [record for record in records if record.spec.method == "mmul"]
    return own, store.path(own.spec)


def test_retrains_in_the_folders_beside_give_the_floor(stored):
    floor = floor_beside(*stored)
    assert floor.draws == {"contrastive": 3, "matching": 3}
    assert floor.retrain is not None and floor.retrain.spec.method == "retrain"


def test_what_is_no_record_or_does_not_hold_does_not_count(stored):
    own, path = stored
    first, second, third = sorted((path.parent.parent / "retrain_again").iterdir())
    first.write_text("{")
    second.write_text(second.read_text().replace('"reason": null', '"reason": "forged"'))
    assert floor_beside(own, path).draws == {"contrastive": 1, "matching": 1}
    third.unlink()
    assert floor_beside(own, path).draws == {}


def test_code_that_is_another_today_is_named_by_kind():
    assert changed_since(forged({"code": {}})) == []
    assert changed_since(forged({"code": committed()["code"] | {"method": "0" * 16}})) == ["method"]
    assert changed_since(forged({"spec.method": "elsewhere", "code": {"task": "0" * 16}})) == []
