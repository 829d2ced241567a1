"""Damaged and hostile GDPR files are refused in one line, nothing executed."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow
import pytest
import relation_miniatures as miniatures
from official_data import edit, load, mmulbench
from pyarrow import parquet

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.tasks._official.json_files import LINE_BYTES


@pytest.fixture
def own(tmp_path) -> Path:
    """The miniature, to spoil."""
    miniatures.write_gdpr(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".pt", ".pth"])
@pytest.mark.parametrize("stem", ["train", "gdpr"])
def test_a_pickle_is_refused_unopened(stem, suffix, own, capsys):
    for path in [*(own / "gdpr").glob("*.tsv"), own / "gdpr" / "validation.jsonl"]:
        path.unlink()
    path = own / "gdpr" / f"{stem}{suffix}"
    path.write_bytes(miniatures.bomb(own / "executed", 2))
    code, _, err = mmulbench(capsys, "data", "check", "gdpr", "--data-dir", own)
    assert code == 1 and f"{path}: a pickle is refused" in err and err.count("\n") == 1
    assert f"convert it yourself to {stem}.tsv, .jsonl or .parquet" in err
    assert not (own / "executed").exists()


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
def test_a_pickle_under_another_name_is_refused_and_nothing_executed(suffix, protocol, own):
    path = miniatures.rewrite(own / "gdpr" / "test.tsv", suffix)
    path.write_bytes(miniatures.bomb(own / "executed", protocol))
    with pytest.raises(MmulbenchError, match=f"{path}") as caught:
        load("gdpr", own)
    assert caught.value.exit_code == 1 and not (own / "executed").exists() and "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("relation", "perhaps", "unknown relation 'perhaps'; known: true, yes, 1, false, no, 0"),
        ("relation", "", "unknown relation ''"),
        ("gene", " &nbsp; ", "the field 'gene' is empty"),
        ("phenotype", "", "the field 'phenotype' is empty"),
    ],
)
def test_damaged_rows_are_named(column, value, message, suffix, own):
    path = own / "gdpr" / "test.tsv"
    rows = miniatures.rows_in(path)
    rows[2][column] = value
    place = {".tsv": "test.tsv:4", ".jsonl": "test.jsonl:3", ".parquet": "test.parquet: row 3"}[suffix]
    miniatures.rewrite(path, suffix, rows)
    with pytest.raises(MmulbenchError, match=f"{own}/gdpr/{place}: {message}") as caught:
        load("gdpr", own)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("value", [None, 7, [1]])
def test_values_of_another_type_are_named(value, suffix, own):
    rows = miniatures.rows_in(own / "gdpr" / "test.tsv")
    rows = [{**row, "text": value} for row in rows]
    miniatures.rewrite(own / "gdpr" / "test.tsv", suffix, rows)
    kind = type(value).__name__
    with pytest.raises(MmulbenchError, match=rf"1: the field 'text' must be text, not {kind}"):
        load("gdpr", own)


def test_half_a_character_is_a_question_mark(own):
    miniatures.rewrite(own / "gdpr" / "test.tsv", ".jsonl")
    edit(own / "gdpr" / "test.jsonl", '"gene": "GEN', r'"gene": "\ud83dGEN')
    assert any(name.startswith("?GEN") for name in load("gdpr", own).items["graph"].texts)


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
def test_a_missing_column(suffix, own):
    path = own / "gdpr" / "test.tsv"
    if suffix == ".tsv":
        edit(path, "\tdisease", "\tillness")
    else:
        rows = [
            {key: value for key, value in row.items() if key != "disease"} for row in miniatures.rows_in(path)
        ]
        path = miniatures.rewrite(path, suffix, rows)
    with pytest.raises(MmulbenchError, match=rf"{path}(:1)?: the (column|field) 'disease' is missing"):
        load("gdpr", own)


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
def test_a_git_lfs_pointer(suffix, own):
    path = miniatures.rewrite(own / "gdpr" / "test.tsv", suffix)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n")
    with pytest.raises(MmulbenchError, match=rf"{path}\S* (this )?is a Git LFS pointer.*: run git lfs pull"):
        load("gdpr", own)


@pytest.mark.parametrize("content", ["half", "no end", b"", b"PAR1", b"PAR1" + bytes(99) + b"PAR1"])
def test_a_truncated_parquet_file(content, own):
    path = miniatures.rewrite(own / "gdpr" / "test.tsv", ".parquet")
    whole = path.read_bytes()
    kept = {"half": whole[: len(whole) // 2], "no end": whole[:-1]}.get(content, content)
    path.write_bytes(kept)
    with pytest.raises(MmulbenchError, match=f"{path}: cannot be read as parquet after row 0") as caught:
        load("gdpr", own)
    assert caught.value.exit_code == 1 and "\n" not in str(caught.value)


def test_a_parquet_file_with_damage_in_the_middle(own):
    path = miniatures.rewrite(own / "gdpr" / "test.tsv", ".parquet")
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    with pytest.raises(MmulbenchError, match=f"{path}: cannot be read as parquet"):
        load("gdpr", own)


def test_a_parquet_file_with_bytes_that_are_no_text(own):
    path = own / "gdpr" / "test.parquet"
    table = pyarrow.Table.from_pylist(miniatures.rows_in(own / "gdpr" / "test.tsv"))
    (own / "gdpr" / "test.tsv").unlink()
    wrong = pyarrow.array([b"\xff"] * len(table)).view(pyarrow.string())
    parquet.write_table(table.set_column(3, "text", wrong), path)
    with pytest.raises(MmulbenchError, match=f"{path}: cannot be read as parquet after row 0: .*utf-8"):
        load("gdpr", own)


def test_a_row_group_that_is_too_large(own, monkeypatch):
    path = miniatures.rewrite(own / "gdpr" / "test.tsv", ".parquet")
    monkeypatch.setattr("mmulbench.tasks._relations.relation_files.DOCUMENT_BYTES", 100)
    with pytest.raises(MmulbenchError, match=f"{path}: columns of more than 100 bytes are refused"):
        load("gdpr", own)


def test_an_endless_line(own):
    edit(own / "gdpr" / "validation.jsonl", '"text": "', '"text": "' + LINE_BYTES * "x")
    with pytest.raises(MmulbenchError, match=r"validation.jsonl:1: a line of more than 1,000,000 bytes"):
        load("gdpr", own)


def test_pyarrow_is_missing_or_too_old(own, monkeypatch):
    miniatures.rewrite(own / "gdpr" / "test.tsv", ".parquet")
    monkeypatch.setattr(pyarrow, "__version__", "14.0.0")
    with pytest.raises(UsageError, match=r'pip install "pyarrow>=14.0.1" \(there is 14.0.0\)'):
        load("gdpr", own)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"task gdpr needs pyarrow 14\.0\.1 or newer to read parquet files"):
        load("gdpr", own)
