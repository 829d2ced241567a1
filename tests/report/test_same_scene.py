"""Runs that may not be compared are refused in one line that says why."""

from __future__ import annotations

import pytest
from planted_results import Planted, World, changed, of_one_original

from mmulbench.errors import UsageError
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import ForgetList
from mmulbench.report.aggregate import group_records
from mmulbench.report.same_scene import DIFFERENT, refuse_other_models, refuse_other_tables

RECORDS = of_one_original(World().records({"a": Planted(), "b": Planted()}))
SPEC = RECORDS[0].spec


def rows_of(records):
    (group,) = group_records(records)
    rows = {row.method: row for row in group.rows}
    return rows["a"], rows["b"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "flags"}, "other tasks: emoji and flags"),
        ({"backbone": "clip:tiny"}, "other backbones: albef:packaged and clip:tiny"),
        ({"forget_size": 32}, "other forget sets: 68 units and 32"),
        ({"forget": ForgetList(digest="f" * 64, level="units", pairs=9)}, "other forget sets: their lists"),
        ({"given": {"original": "albef x 1"}}, "other models: those given as original"),
        ({"data_fingerprint": "e" * 64}, "other data"),
        ({"metric_version": "1"}, "other versions of the metrics: 2 and 1"),
        ({"recipe": {"epochs": 2}}, 'other recipes of the original: {} and {"epochs":2}'),
    ],
)
def test_records_of_two_tables_are_refused_by_what_differs(change, said):
    other = GroupKey.of(SPEC.model_copy(update=change))
    with pytest.raises(UsageError) as error:
        refuse_other_tables(("a", "b"), GroupKey.of(SPEC), other)
    assert str(error.value).startswith(f"a and b are of {said}") and "\n" not in str(error.value)


def test_every_field_of_a_table_has_words():
    assert set(DIFFERENT) == set(GroupKey._fields)
    refuse_other_tables(("a", "b"), GroupKey.of(SPEC), GroupKey.of(SPEC))


@pytest.mark.parametrize("model", ["original", "retrain"])
def test_other_originals_and_retrains_are_refused(model):
    refuse_other_models(*rows_of(RECORDS))
    other = [
        changed(one, mia__matching=one.values["mia/matching"].model_copy(update={model: 0.123}))
        if (one.spec.method, one.spec.seed) == ("b", 42)
        else one
        for one in RECORDS
    ]
    with pytest.raises(
        UsageError, match=rf"a and b have other {model}s: with seed 42, mia/matching of {model}"
    ):
        refuse_other_models(*rows_of(other))


def test_headlines_of_the_path_that_a_run_chooses_are_no_sign_of_another_original():
    other = [
        changed(one, mia=one.values["mia"].model_copy(update={"original": 0.5}))
        if one.spec.method == "b"
        else one
        for one in RECORDS
    ]
    refuse_other_models(*rows_of(other))


def test_no_seed_in_common_is_refused():
    first, second = rows_of(RECORDS)
    part = [
        type(row)(row.method, row.label, records)
        for row, records in ((first, first.records[:1]), (second, second.records[1:]))
    ]
    with pytest.raises(UsageError, match=r"a \(seeds 21\) and b \(seeds 42, 87\) have no seed in common"):
        refuse_other_models(*part)


def test_two_records_of_one_seed_are_refused():
    first, second = rows_of(RECORDS)
    twice = type(first)("a", "a", (*first.records, first.records[0]))
    with pytest.raises(UsageError, match="a has 2 records of seed 21: name one by its settings"):
        refuse_other_models(twice, second)
