"""Records of one table: costs beside the retrain that the table has a record of."""

from __future__ import annotations

import pytest

from mmulbench.report.aggregate import RETRAIN, MethodRow, group_records

OTHER_MACHINE = {"cpu": "another processor"}


def rows(records) -> dict[str, MethodRow]:
    (group,) = group_records(records)
    return {row.method: row for row in group.rows}


def test_times_of_one_seed_are_parts_of_one_retrain(record):
    """Retrain was trained anew between the two runs, and took twice as long."""
    found = rows(
        [
            record(RETRAIN, seconds=100.0, ratio=1.0),
            record("mmul", seconds=10.0, ratio=0.1),
            record("kga", seconds=10.0, ratio=0.05),
        ]
    )
    assert found["mmul"].costs("seconds_ratio") == found["kga"].costs("seconds_ratio") == {42: 0.1}
    assert found["kga"].costs("seconds") == {42: 10.0}
    assert found["kga"].records[0].cost.seconds_ratio == 0.05, "what a record holds stays"


def test_each_seed_has_its_own_retrain(record):
    found = rows(
        [
            *(record(RETRAIN, seed=seed, seconds=100.0 * seed, ratio=1.0) for seed in (1, 2)),
            *(record("mmul", seed=seed, seconds=20.0, ratio=0.5) for seed in (1, 2, 3)),
        ]
    )
    assert found["mmul"].costs("seconds_ratio") == {1: 0.2, 2: 0.1, 3: 0.5}, "seed 3 has no record of retrain"
    assert found["mmul"].cost("seconds_ratio").mean == pytest.approx(0.8 / 3)


@pytest.mark.parametrize("where", [OTHER_MACHINE, {"device": "cuda"}, {"threads": 1}, {"processes": 2}])
def test_seconds_of_another_machine_are_not_compared(record, where):
    reference = record(RETRAIN, seconds=100.0, ratio=1.0)
    elsewhere = reference.environment.model_copy(update=where)
    found = rows([reference, record("mmul", seconds=10.0, ratio=0.4, environment=elsewhere)])
    assert found["mmul"].costs("seconds_ratio") == {42: 0.4}


def test_a_run_without_a_reference_gets_no_ratio(record):
    found = rows([record(RETRAIN, ratio=1.0), record("mmul", seconds=10.0, ratio=None)])
    assert found["mmul"].cost("seconds_ratio") is None
