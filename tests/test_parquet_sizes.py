"""Texts that a parquet file holds once and names often are counted before they take their memory."""

from __future__ import annotations

import pyarrow as pa
import pytest
from official_data import load
from pyarrow import parquet

from mmulbench.errors import MmulbenchError
from mmulbench.parquet_sizes import open_encoded, refuse_large, size_of
from mmulbench.tasks._relations.relation_files import read_parquet as read_relations
from mmulbench.tasks._tables.parquet_file import read_parquet as read_table

LONG, ROWS = 300_000, 2000
"""600 MB in memory."""


@pytest.fixture(autouse=True)
def little_memory():
    """Fail where pyarrow takes much more at once than it did in tests before."""
    pool = pa.default_memory_pool()
    before = pool.max_memory()
    yield
    assert pool.max_memory() < before + 20_000_000


@pytest.fixture
def bomb(tmp_path):
    path = tmp_path / "data" / "test-00000-of-00001.parquet"
    path.parent.mkdir()
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), ["x" * LONG])
    parquet.write_table(pa.table({"caption": texts}), path)
    assert path.stat().st_size < 100_000
    return path


def cells(values, **how):
    return pa.chunked_array([pa.array(values, **how)])


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.large_string()])
def test_a_text_counts_for_each_row_that_has_it(kind):
    plain = pa.array(["ab", "ab", None, "c"], kind)
    assert size_of(plain.dictionary_encode()) == 5 + 4 * 8
    assert size_of(pa.chunked_array([plain.dictionary_encode()] * 2)) == 2 * (5 + 4 * 8)


def test_numbers_count_as_they_are():
    assert size_of(cells([1, 2, 3], type=pa.int64())) == 24
    assert size_of(pa.array([1, 1], pa.int64()).dictionary_encode()) == 2 * 4 + 8


@pytest.mark.parametrize(
    "read",
    [read_table, lambda path: list(read_relations(path, ["caption"], "pgr"))],
    ids=["tables", "relations"],
)
def test_a_small_file_of_long_texts_is_refused_in_a_line(read, bomb):
    with pytest.raises(MmulbenchError, match=r"00001\.parquet: columns of more than 512,000,000 bytes"):
        read(bomb)


def test_so_it_is_in_a_folder_like_a_hubs(bomb, tmp_path):
    with pytest.raises(MmulbenchError, match="columns of more than 512,000,000 bytes are refused"):
        load("flickr30k", tmp_path, hub=str(tmp_path))


def refused(path, most):
    with path.open("rb") as opened, open_encoded(opened, ["a"]) as file:
        try:
            refuse_large(path, file, ["a"], most)
        except MmulbenchError:
            return True
    return False


@pytest.mark.parametrize(
    ("values", "how", "most"),
    [
        (["x" * 5000], {"use_dictionary": False}, 5000),
        ([True] * 100_000, {}, 799_999),
        (["x" * 900] * 100, {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}, 80_000),
    ],
    ids=["declared", "rows", "shared beginnings"],
)
def test_what_a_file_says_of_itself_is_enough_where_it_is(values, how, most, tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": values}), path, **how)
    assert path.stat().st_size < 6000
    assert refused(path, most) and not refused(path, 10 * most)
