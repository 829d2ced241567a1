"""Parquet files are read column by column; what is not needed stays in the file."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

from mmulbench.errors import MmulbenchError
from mmulbench.tasks._tables import parquet_file
from mmulbench.tasks._tables.parquet_file import read_parquet


def test_only_columns_of_single_values_count_for_the_size(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_file, "DOCUMENT_BYTES", 1000)
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": ["x"], "b": [b"y" * 5000]}), path, use_dictionary=False)
    columns, nested = read_parquet(path)
    assert columns["a"].to_pylist() == ["x"] and nested == {"b": "binary"}
    parquet.write_table(pa.table({"a": ["x" * 5000]}), path, use_dictionary=False)
    with pytest.raises(MmulbenchError, match=r"a\.parquet: columns of more than 1,000 bytes are refused"):
        read_parquet(path)


def test_numbers_that_are_not_finite_or_huge_stay_as_they_are(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": [float("inf"), 1.0], "b": [1e300, 2.0], "c": [None, None]}), path)
    columns, _ = read_parquet(path)
    assert {name: found.to_pylist() for name, found in columns.items()} == {
        "a": ["inf", "1"],
        "b": ["1e+300", "2"],
        "c": ["", ""],
    }
