"""A table of two planted methods says what is known of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planted_results import Planted, World, changed

from mmulbench.records.schema import Value
from mmulbench.report.aggregate import group_records
from mmulbench.report.paired_rows import _better, as_fields, compare_rows, seeds_sentence


def compared(methods, world=None, draws=5, **change):
    (group,) = group_records((world or World()).records(methods, draws))
    rows = {row.method: row for row in group.rows}
    return {row.name: row for row in compare_rows(rows["a"], rows["b"], group, **change)}


def test_a_known_difference_is_found_and_nothing_else():
    shift = {"mia/matching": 0.25}
    found = compared({"a": Planted(shift), "b": Planted()}, World(seeds=(21, 42, 87, 100, 200)))
    assert [name for name, row in found.items() if row.is_significant] == ["retrain_gap", "mia/matching"]
    row = found["mia/matching"]
    assert row.difference == pytest.approx(0.25, abs=0.03)
    assert row.seed_interval.low < 0.25 < row.seed_interval.high and row.unit_interval is not None
    assert row.better == "second" and row.basis == "seeds" and len(row.seeds) == 5
    assert row.difference == pytest.approx(row.first - row.second)
    assert 0 < row.floor < 0.05 < row.seed_interval.effect


def test_identical_records_have_no_difference():
    world = World()
    records = world.records({"a": Planted({"forget": 0.2})})
    (group,) = group_records(records)
    row = next(row for row in group.rows if row.method == "a")
    for found in compare_rows(row, row, group):
        assert (found.difference, found.corrected, found.better) == (0.0, 1.0, "")
        assert not found.is_significant
        assert found.seed_interval.low == found.seed_interval.high == 0.0


@pytest.mark.slow
def test_of_alike_methods_a_table_in_twenty_has_a_difference():
    tables = [compared({"a": Planted(), "b": Planted()}, World(seed=seed), draws=0) for seed in range(25)]
    wrong = sum(any(row.is_significant for row in table.values()) for table in tables)
    assert wrong <= 4  # about 1 is expected, and more than 4 have a chance below 1 %


def test_p_values_are_corrected_for_all_rows():
    found = list(compared({"a": Planted({"forget": 0.1}), "b": Planted()}).values())
    raw = sorted(found, key=lambda row: row.interval.p)
    assert raw[0].corrected == pytest.approx(min(1, raw[0].interval.p * len(found)))
    assert all(row.corrected >= row.interval.p for row in found)


def test_two_seeds_are_judged_by_units_and_it_is_said():
    found = compared({"a": Planted({"forget": 0.2}), "b": Planted()}, World(seeds=(21, 42)))
    assert found["forget"].basis == "units" and found["forget"].is_significant
    assert found["test"].basis == "" and found["test"].corrected is None
    assert not found["test"].is_significant
    assert seeds_sentence(list(found.values())).startswith("With 2 seeds in common there is no interval over")


def test_only_seeds_of_both_count():
    (group,) = group_records(World(seeds=(1, 2, 3, 4)).records({"a": Planted(), "b": Planted()}))
    rows = {row.method: row for row in group.rows}
    part = type(rows["a"])("a", "a", rows["a"].records[1:])
    (first, *_) = compare_rows(part, rows["b"], group)
    assert first.seeds == (2, 3, 4)
    assert first.second == pytest.approx(
        np.mean([rows["b"].by_seed("retrain_gap")[seed] for seed in (2, 3, 4)])
    )


def test_a_value_that_one_lacks_has_no_row_and_one_without_retrain_no_better():
    records = World().records({"a": Planted(), "b": Planted()})
    bare = [
        changed(one, forget=Value(value=0.5, n=9, direction="closest_to_retrain"))
        if one.spec.method == "a"
        else changed(one, test=Value(value=None, n=0, direction="higher"))
        for one in records
    ]
    (group,) = group_records(bare)
    rows = {row.method: row for row in group.rows}
    found = {row.name: row for row in compare_rows(rows["a"], rows["b"], group)}
    assert "test" not in found
    assert found["forget"].better == "" and found["forget"].retrain is None


def test_the_gap_by_units_takes_only_the_retrain_that_was_compared_with():
    records = World().records({"a": Planted(), "b": Planted()})
    other = [
        changed(one, test=Value(value=0.1, n=9, direction="higher")) if one.spec.method == "retrain" else one
        for one in records
    ]
    for given, is_known in ((records, True), (other, False)):
        (group,) = group_records(given)
        rows = {row.method: row for row in group.rows}
        (gap, *_) = compare_rows(rows["a"], rows["b"], group)
        assert gap.name == "retrain_gap" and (gap.unit_interval is not None) is is_known


@pytest.mark.parametrize(
    ("direction", "own", "other", "retrain", "better"),
    [
        ("lower", 0.1, 0.2, None, "first"),
        ("higher", 0.1, 0.2, None, "second"),
        ("closest_to_retrain", 0.55, 0.7, 0.5, "first"),
        ("closest_to_retrain", 0.3, 0.45, 0.5, "second"),
        ("closest_to_retrain", 0.3, 0.55, 0.5, "second"),
        ("closest_to_retrain", 0.3, 0.55, None, ""),
        ("not_below_retrain", 0.6, 0.7, 0.5, ""),
        ("not_below_retrain", 0.4, 0.7, 0.5, "second"),
    ],
)
def test_which_is_better(direction, own, other, retrain, better):
    assert _better(direction, [(own, other, retrain)]) == better
    assert _better(direction, [(own, other, retrain), (other, own, retrain)]) == ""


def test_costs_end_the_table_and_all_of_it_is_plain():
    found = compared({"a": Planted(), "b": Planted()})
    assert next(iter(found)) == "retrain_gap" and list(found)[-1] == "cost.seconds_ratio"
    fields = [as_fields(row) for row in found.values()]
    assert json.loads(json.dumps(fields)) == fields
    assert fields[0]["p_holm"] == found["retrain_gap"].corrected and fields[0]["basis"] == "seeds"
