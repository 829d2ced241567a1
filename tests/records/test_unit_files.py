"""Scores by unit: what is written is read, and nothing but what was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmulbench.records.unit_files import (
    NUMBERS,
    UnitScores,
    UnusableUnits,
    digest_of,
    no_units,
    read_units,
    unit_file,
)

SCORES = UnitScores(
    split=np.array(["test", "forget"]),
    unit=np.array([7, 123_456]),
    path=np.array(["matching", "matching"]),
    pairs=np.array([5, 1]),
    numbers={name: np.array([0.1, -1 / 3]) * place for place, name in enumerate(NUMBERS)},
)


@pytest.fixture
def record(tmp_path) -> Path:
    return tmp_path / "2-42-0123456789ab.json"


def test_what_is_written_is_read_in_single_precision(record):
    content = SCORES.to_parquet()
    unit_file(record).write_bytes(content)
    found = read_units(record, digest_of(content)).to_pydict()
    assert found["split"] == ["test", "forget"] and found["unit"] == [7, 123_456]
    assert found["path"] == ["matching"] * 2 and found["pairs"] == [5, 1]
    for name in NUMBERS:
        assert found[name] == SCORES.numbers[name].astype(np.float32).tolist()
    assert list(found) == no_units().column_names


def test_equal_scores_give_equal_bytes_and_others_others():
    other = replace(SCORES, unit=np.array([7, 8]))
    assert SCORES.to_parquet() == SCORES.to_parquet() != other.to_parquet()


def test_without_retrain_its_numbers_are_missing(record):
    kept = {name: values for name, values in SCORES.numbers.items() if not name.startswith("retrain")}
    content = replace(SCORES, numbers=kept).to_parquet()
    unit_file(record).write_bytes(content)
    found = read_units(record, digest_of(content)).to_pydict()
    assert found["retrain_score"] == found["retrain_loss"] == [None, None]
    assert found["loss"] == SCORES.numbers["loss"].astype(np.float32).tolist()


def test_parts_are_joined_in_their_order():
    joined = UnitScores.joined([SCORES, replace(SCORES, split=np.array(["retain", "retain"]))])
    assert joined.split.tolist() == ["test", "forget", "retain", "retain"]
    assert joined.unit.tolist() == [7, 123_456] * 2 and len(joined.numbers["loss"]) == 4


def test_a_swapped_file_is_noticed(record):
    mine, other = SCORES.to_parquet(), replace(SCORES, pairs=np.array([5, 2])).to_parquet()
    unit_file(record).write_bytes(other)
    found = read_units(record, digest_of(mine))
    assert isinstance(found, UnusableUnits) and found.path == unit_file(record)
    assert found.reason == "it is not the file that its record names: it was changed or swapped"


def test_a_file_that_is_gone_is_noticed(record):
    found = read_units(record, "0" * 64)
    assert isinstance(found, UnusableUnits) and found.reason.startswith("it is gone")


def test_a_folder_in_its_place_is_noticed(record):
    unit_file(record).mkdir()
    assert read_units(record, "0" * 64).reason == "Is a directory"


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing of the kind PAR1"])
def test_what_is_no_parquet_is_noticed(record, content):
    unit_file(record).write_bytes(content)
    assert read_units(record, digest_of(content)).reason.startswith("it holds no scores by unit: ")


def test_other_columns_are_noticed(record):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"unit": ["a"]}), unit_file(record))
    digest = digest_of(unit_file(record).read_bytes())
    assert read_units(record, digest).reason.startswith("it holds no scores by unit: ")
