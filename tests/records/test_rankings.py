"""First places in the file of scores: what is written is read, and what cannot be is named."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mmulbench.records import unit_files
from mmulbench.records.rankings import Rankings, no_places
from mmulbench.records.unit_files import (
    NUMBERS,
    UnitScores,
    UnusableUnits,
    digest_of,
    rankings_in,
    read_rankings,
    unit_file,
    units_in,
)

SCORES = UnitScores(
    split=np.array(["test", "forget", "forget", "forget"]),
    unit=np.array([4, 7, 9, 4]),
    path=np.array(["matching"] * 4),
    pairs=np.array([1, 2, 3, 1]),
    numbers={name: np.arange(4.0) for name in NUMBERS},
)
PLACES = Rankings(
    unit=np.array([9, 9, 4]),
    path=np.array(["matching"] * 3),
    side=np.array([0, 0, 1]),
    item=np.array([9, 9, 30]),
    place=np.array([1, 2, 1]),
    found=np.array([70_000, 8, 4]),
    is_true=np.array([True, False, True]),
    probability=np.array([np.nan, 0.25, np.nan]),
)
FILE = Path("x.units.parquet")


def content(**changes: list[float]) -> bytes:
    changed = {name: np.array(values) for name, values in changes.items()}
    return SCORES.to_parquet({"original": PLACES, "retrain": replace(PLACES, **changed)})


def test_what_is_written_is_read_with_its_unit_and_model():
    found = rankings_in(content(), FILE)
    assert not isinstance(found, UnusableUnits) and found.schema == no_places().schema
    rows = [tuple(row.values()) for row in found.to_pylist()]
    nine = [(9, "matching", 0, 9), (9, "matching", 0, 9)]
    assert sorted(rows, key=str) == sorted(
        [
            (*key, model, *rest)
            for model in ("original", "retrain")
            for key, rest in zip(
                [*nine, (4, "matching", 1, 30)],
                [(1, 70_000, True, None), (2, 8, False, 0.25), (1, 4, True, None)],
                strict=True,
            )
        ],
        key=str,
    )


def test_scores_are_read_as_before_and_files_without_rankings_have_no_places():
    with_places, without = units_in(content(), FILE), units_in(SCORES.to_parquet(), FILE)
    assert with_places == without
    assert rankings_in(SCORES.to_parquet(), FILE) == no_places()
    assert content() == content() != content(found=[1, 2, 3])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"place": [1, 6, 1]}, "6 is no place: it is 1 to 5"),
        ({"place": [1, 0, 1]}, "0 is no place: it is 1 to 5"),
        ({"side": [0, 2, 0]}, "2 is no side: it is 0 to 1"),
        ({"found": [1, -1, 0]}, "-1 is no found: it is 0 or more"),
        ({"item": [-9, 9, 9]}, "-9 is no item: it is 0 or more"),
        ({"place": [1, 1, 1]}, "a place is there twice"),
        ({"probability": [0.0, 1.5, 0.0]}, "1.5 is no probability: it is 0 to 1"),
    ],
)
def test_what_cannot_be_is_named(changes, fault):
    found = rankings_in(content(**changes), FILE)
    assert isinstance(found, UnusableUnits) and found.reason == f"its rankings cannot be: {fault}"


def with_column(column: pa.Array) -> bytes:
    table = parquet.read_table(io.BytesIO(content()))
    changed, new = table.set_column(table.column_names.index("rankings"), "rankings", column), io.BytesIO()
    parquet.write_table(changed, new)
    return new.getvalue()


def test_other_models_missing_numbers_and_other_columns_are_named():
    table = parquet.read_table(io.BytesIO(content()))
    kind = table.schema.field("rankings").type
    for change, fault in (
        ({"model": 3}, "3 is no model: it is 0 to 2"),
        ({"found": None}, "a found is missing"),
    ):
        lists = [[one | change for one in row or []] for row in table["rankings"].to_pylist()]
        found = rankings_in(with_column(pa.array(lists, type=kind)), FILE)
        assert isinstance(found, UnusableUnits) and found.reason == f"its rankings cannot be: {fault}"
    for strange in (pa.array(["a"] * 4), pa.array([[{"place": "a"}]] * 4)):
        found = rankings_in(with_column(strange), FILE)
        assert isinstance(found, UnusableUnits) and found.reason.startswith("it holds no rankings: ")
    assert not isinstance(units_in(with_column(pa.array(["a"] * 4)), FILE), UnusableUnits)


def test_what_is_no_parquet_or_too_much_is_named(monkeypatch):
    found = rankings_in(b"PAR1 and nothing", FILE)
    assert isinstance(found, UnusableUnits) and found.reason.startswith("it holds no rankings: ")
    monkeypatch.setattr(unit_files, "MOST_ROWS", 5)
    found = rankings_in(content(), FILE)
    assert isinstance(found, UnusableUnits) and found.reason == "it holds more than 5 places of rankings"


def test_a_file_that_is_gone_or_swapped_is_named(tmp_path):
    record = tmp_path / "2-42-0123456789ab.json"
    digest = digest_of(content())
    found = read_rankings(record, digest)
    assert isinstance(found, UnusableUnits) and "it is gone" in found.reason
    unit_file(record).write_bytes(content())
    assert read_rankings(record, digest) == rankings_in(content(), unit_file(record))
    found = read_rankings(record, "0" * 64)
    assert isinstance(found, UnusableUnits) and "changed or swapped" in found.reason
