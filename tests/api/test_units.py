"""Scores by unit as a data frame: those of all records, with what a record is beside them."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted_results import Planted, World

import mmulbench
from mmulbench.records.rankings import Rankings
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import NUMBERS, UnitScores, digest_of, unit_file

PLACES = Rankings(
    unit=np.array([2, 2]),
    path=np.array(["matching"] * 2),
    side=np.array([0, 0]),
    item=np.array([2, 2]),
    place=np.array([1, 2]),
    found=np.array([9, 8]),
    is_true=np.array([True, False]),
    probability=np.full(2, np.nan),
)


def content(seed: int, places: Rankings = PLACES) -> bytes:
    """Three units of scores, and what the unlearned model ranks first for one."""
    rng = np.random.default_rng(seed)
    return UnitScores(
        split=np.array(["test", "retain", "forget"]),
        unit=np.arange(3),
        path=np.array(["matching"] * 3),
        pairs=np.array([1, 2, 3]),
        numbers={name: rng.normal(size=3) for name in NUMBERS},
    ).to_parquet({"unlearned": places})


@pytest.fixture
def store(tmp_path) -> ResultsStore:
    return ResultsStore(tmp_path)


@pytest.fixture
def records(store):
    """Two records with scores and one without."""
    made = World(seeds=(42,)).records({"mmul": Planted(), "scrub": Planted()}, draws=0)
    for seed, record in enumerate(made):
        units = content(seed) if record.spec.method != "scrub" else None
        named = record.model_copy(update={"units": None if units is None else digest_of(units)})
        store.write(named, units)
    return made


def test_a_row_for_each_record_and_unit(tmp_path, records):
    found = mmulbench.load_units(tmp_path)
    assert [*found.groupby("method").size().items()] == [("mmul", 3), ("retrain", 3)]
    own = found[found.method == "mmul"]
    (record,) = (one for one in records if one.spec.method == "mmul")
    assert set(own.run_id) == {record.run_id} and set(own.seed) == {42} and set(own.task) == {"emoji"}
    assert own.split.tolist() == ["test", "retain", "forget"] and own.pairs.tolist() == [1, 2, 3]
    assert not own[["score", "retrain_score", "loss", "retrain_loss"]].isna().any(axis=None)


def test_methods_can_be_compared_unit_by_unit(tmp_path, records):
    found = mmulbench.load_units(tmp_path, task="emoji")
    table = found.pivot_table(index=["split", "unit", "path"], columns="method", values="loss")
    assert table.shape == (3, 2) and not table.isna().any(axis=None)


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(content(9)), lambda file: file.unlink()])
def test_a_file_that_is_not_the_records_is_left_out_and_warned_of(tmp_path, records, store, damage):
    (path,) = (store.path(one.spec) for one in records if one.spec.method == "mmul")
    damage(unit_file(path))
    with pytest.warns(UserWarning, match=rf"left out .*{unit_file(path).name}: it is (not|gone)") as said:
        found = mmulbench.load_units(tmp_path)
    assert set(found.method) == {"retrain"}
    assert [one.filename for one in said] == [__file__]


def test_first_places_of_all_records_are_one_frame(tmp_path, records):
    found = mmulbench.load_rankings(tmp_path, task="emoji")
    assert [*found.groupby("method").size().items()] == [("mmul", 2), ("retrain", 2)]
    own = found[found.method == "mmul"]
    assert own[["unit", "item", "place", "found"]].to_numpy().tolist() == [[2, 2, 1, 9], [2, 2, 2, 8]]
    assert own.model.tolist() == ["unlearned"] * 2 and own.is_true.tolist() == [True, False]
    assert own.probability.isna().all() and set(own.seed) == {42}


def test_rankings_that_cannot_be_are_left_out_and_warned_of(tmp_path, records, store):
    (record,) = (one for one in records if one.spec.method == "mmul")
    bad = content(0, replace(PLACES, place=np.array([1, 6])))
    store.write(record.model_copy(update={"units": digest_of(bad)}), bad)
    with pytest.warns(UserWarning, match=r"left out .*: its rankings cannot be: 6 is no place") as said:
        found = mmulbench.load_rankings(tmp_path)
    assert set(found.method) == {"retrain"} and [one.filename for one in said] == [__file__]
    assert set(mmulbench.load_units(tmp_path).method) == {"mmul", "retrain"}


def test_no_scores_give_an_empty_frame_with_its_columns(tmp_path, records):
    before = mmulbench.load_units(tmp_path), mmulbench.load_rankings(tmp_path)
    for file in tmp_path.rglob("*.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "units": None}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mmulbench.load_units(tmp_path), mmulbench.load_rankings(tmp_path)
    for frame, full in zip(found, before, strict=True):
        assert isinstance(frame, pd.DataFrame) and frame.empty and len(full)
        assert list(frame.columns) == list(full.columns)


def test_a_task_without_records_is_wrong_use(tmp_path, records):
    with pytest.raises(mmulbench.UsageError, match="did you mean emoji"):
        mmulbench.load_units(tmp_path, task="emojy")
