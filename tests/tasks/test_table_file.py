"""Tables of all kinds and encodings are read as text, and faults are refused with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.tasks._official import json_files
from mmulbench.tasks._tables import table_file
from mmulbench.tasks._tables.table_file import Table, read_table

ROWS = [{"image": "a.png", "text": "Käse, “alt”"}, {"image": "b.png", "text": 'say "hello"\nagain'}]
PLAIN = [{"image": "a.png", "text": "a café"}, {"image": "b.png", "text": "two"}]


def rows_of(table: Table) -> list[dict[str, str]]:
    columns = {name: table.cells(name) for name in table.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def csv_of(rows, sign: str = ",") -> str:
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in cells]
    return "".join(sign.join(row) + "\r\n" for row in quoted)


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path: Path, message: str, kind: type[MmulbenchError] = MmulbenchError, **options: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        read_table(path, **options)
    assert type(caught.value) is kind and "\n" not in str(caught.value)


def test_every_kind_of_table_says_the_same(tmp_path):
    files = {
        "a.csv": csv_of(ROWS),
        "b.csv": csv_of(ROWS, ";"),
        "c.CSV": csv_of(ROWS, "\t"),
        "d.jsonl": "\n".join(map(json.dumps, ROWS)),
    }
    for name, content in files.items():
        assert rows_of(read_table(put(tmp_path / name, content))) == ROWS, name
    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "e.parquet")
    assert rows_of(read_table(tmp_path / "e.parquet")) == ROWS


def test_a_tsv_has_quotation_marks_as_text_unless_all_of_it_is_quoted(tmp_path):
    path = put(tmp_path / "a.tsv", 'image\ttext\na.png\t"so" he said\nb.png\t5" pipe\n')
    assert [row["text"] for row in rows_of(read_table(path))] == ['"so" he said', '5" pipe']
    path = put(tmp_path / "b.tsv", '"image"\t"text"\n"a.png"\t"5"" pipe"\n')
    assert rows_of(read_table(path)) == [{"image": "a.png", "text": '5" pipe'}]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-16-le", "utf-16-le"), ("latin-1", "latin-1")],
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_encodings(encoding, said, suffix, tmp_path):
    text = "".join("\t,"[suffix == ".csv"].join(row) + "\n" for row in (PLAIN[0], *map(dict.values, PLAIN)))
    path = put(tmp_path / f"a{suffix}", text.encode(encoding))
    assert rows_of(read_table(path, said)) == PLAIN


def test_a_byte_order_mark_is_no_part_of_a_name_where_the_encoding_is_said(tmp_path):
    path = put(tmp_path / "a.csv", "image,text\na.png,x\n".encode("utf-8-sig"))
    assert [*read_table(path, "utf-8").columns] == ["image", "text"]


def test_json_values_are_text(tmp_path):
    lines = [{"a": 17, "b": True, "c": None, "d": 0.5, "e": "\ud83d"}, {"a": "x"}]
    path = put(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert rows_of(read_table(path)) == [
        {"a": "17", "b": "true", "c": "", "d": "0.5", "e": "?"},
        {"a": "x", "b": "", "c": "", "d": "", "e": ""},
    ]


def test_parquet_values_are_text(tmp_path):
    columns = {
        "whole": pa.array([1.0, None, 17.0]),
        "part": pa.array([0.5, 1.0, None]),
        "kind": pa.array(["x", None, "x"]).dictionary_encode(),
        "flag": pa.array([True, False, None]),
        "image": pa.array([{"bytes": b"", "path": "a"}] * 3),
        "texts": pa.array([["a"]] * 3),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert {name: table.cells(name) for name in table.columns} == {
        "whole": ["1", "", "17"],
        "part": ["0.5", "1", ""],
        "kind": ["x", "", "x"],
        "flag": ["true", "false", ""],
    }
    assert table.nested == {"image": "pictures", "texts": "lists"}
    assert table.names == ["whole", "part", "kind", "flag", "image", "texts"]


def test_rows_are_told_by_the_line_that_they_begin_in(tmp_path):
    path = put(tmp_path / "a.csv", 'image,text\na,"two\nlines"\n\n,,\nb,x\n'.replace(",,", ","))
    assert [read_table(path).where(row) for row in range(2)] == [f"{path}:2", f"{path}:6"]
    path = put(tmp_path / "a.jsonl", '{"a": 1}\n\n{"a": 2}\n')
    assert read_table(path).where(1) == f"{path}:3"
    parquet.write_table(pa.table({"a": ["x", "y"]}), tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").where(1) == f"{tmp_path / 'a.parquet'}: row 2"


def test_many_rows_are_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(table_file, "CHUNK", 3)
    path = put(tmp_path / "a.csv", "n\n" + "".join(f"{number}\n" for number in range(7)))
    table = read_table(path)
    assert table.cells("n") == list("0123456") and len(table) == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: the file is empty"),
        ("image,text\n", "the table has no rows"),
        ("image,text\na,b,c\n", ":2: 3 cells, but the first line names 2 columns"),
        ("image,text\na,b\nc\n", ":3: 1 cells, but the first line names 2"),
        ("image,image\na,b\n", ":1: two columns are called 'image'"),
        ("image,\na,b\n", ":1: a column has no name"),
        ('image,text\na,b\nc,"open\nto the end\n', ":3: the row that begins here cannot be read"),
        (b"image,text\na,b\nc,caf\xe9\n", r":3: not UTF-8 text \(byte 6\): save it as UTF-8, or say what"),
        ("image,text\na,é\n".encode() + b"c,caf\xe9\n", r":3: not UTF-8 text \(byte 6\)"),
        (b"image,text\na,b\nc,\0\n", ":3: a NUL byte"),
        ("image,text\na,b\n".encode("utf-16-be"), ":1: a NUL byte.*--set task.encoding=utf-16-le"),
        (b"\xff\xfei\0m\0a", r":1: not UTF-16 text \(byte 7\)"),
        (b"\x80\x04\x95", ":1: this is a pickle, not a table: refused"),
        (b"PK\x03\x04", ":1: this is a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
    ],
)
def test_damaged_tables_are_refused(content, message, tmp_path):
    refused(put(tmp_path / "a.csv", content), f"a.csv.*{message}")


def test_wrong_use_is_refused(tmp_path):
    put(tmp_path / "pairs.csv", "image,text\na,b\n")
    refused(tmp_path / "pair.csv", r"pair\.csv: there is no such file; did you mean pairs\.csv", UsageError)
    refused(tmp_path / "no" / "a.csv", r"a\.csv: there is no such file$", UsageError)
    refused(put(tmp_path / "a.xlsx", b"PK"), r"ends in \.csv, \.tsv, \.jsonl or \.parquet$", UsageError)
    refused(tmp_path / "pairs.csv", "encoding=utf8x: there is no such encoding", UsageError, encoding="utf8x")


def test_what_is_no_parquet_is_refused(tmp_path):
    refused(put(tmp_path / "a.parquet", b"PAR1 not really"), r"a\.parquet: cannot be read as parquet")
    parquet.write_table(pa.table([["x"], ["y"]], names=["a", "a"]), tmp_path / "b.parquet")
    refused(tmp_path / "b.parquet", "two columns are called 'a'")
    parquet.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "c.parquet")
    refused(tmp_path / "c.parquet", "the table has no rows")


def test_what_is_larger_than_memory_bears_is_refused(tmp_path, monkeypatch):
    for module in (table_file, json_files):
        monkeypatch.setattr(module, "DOCUMENT_BYTES", 10)
    refused(put(tmp_path / "a.csv", "image,text\na,b\n"), "a file of more than 10 bytes is refused")


def test_lines_that_are_no_objects_are_refused(tmp_path):
    refused(put(tmp_path / "a.jsonl", '{"a": 1}\n[1]\n'), r"a\.jsonl:2: a JSON object is needed")
    refused(put(tmp_path / "a.jsonl", '{"a": 1}\n{"a"\n'), r"a\.jsonl:2: not valid JSON")
    refused(put(tmp_path / "a.jsonl", "\n"), "the table has no rows")


def test_columns_that_hold_lists_are_known_as_such(tmp_path):
    path = put(tmp_path / "a.jsonl", '{"a": 1, "b": ["x"]}\n{"a": 2, "c": {}}\n')
    table = read_table(path)
    assert [*table.columns] == ["a"] and table.nested == {"b": "lists", "c": "objects"}
