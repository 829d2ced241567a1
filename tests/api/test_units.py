"""Scores by unit as a data frame: those of all records, with what a record is beside them."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from planted_results import Planted, World

import mmulbench
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import NUMBERS, UnitScores, digest_of, unit_file


def content(seed: int) -> bytes:
    """Three units of scores."""
    rng = np.random.default_rng(seed)
    return UnitScores(
        split=np.array(["test", "retain", "forget"]),
        unit=np.arange(3),
        path=np.array(["matching"] * 3),
        pairs=np.array([1, 2, 3]),
        numbers={name: rng.normal(size=3) for name in NUMBERS},
    ).to_parquet()


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


def test_no_scores_give_an_empty_frame_with_its_columns(tmp_path, records):
    before = mmulbench.load_units(tmp_path)
    for file in tmp_path.rglob("*.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "units": None}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mmulbench.load_units(tmp_path)
    assert isinstance(found, pd.DataFrame) and found.empty
    assert list(found.columns) == list(before.columns)


def test_a_task_without_records_is_wrong_use(tmp_path, records):
    with pytest.raises(mmulbench.UsageError, match="did you mean emoji"):
        mmulbench.load_units(tmp_path, task="emojy")
