from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from mmulbench.core.item_names import ListColumns
from mmulbench.errors import UsageError
from mmulbench.runs.forget_list import Condition, NamedPairs, fixed_list, parse_request, read_list

SIDES = ListColumns(("image",), ("text",))
OWN = ListColumns(("person", "image"), ("caption", "text"))


def read(path, content: str | bytes, columns: ListColumns = SIDES) -> NamedPairs:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    request = parse_request(str(path), (), None)
    assert request is not None
    return read_list(request, columns)


def test_without_a_list_the_task_draws():
    assert parse_request(None, (), "3") is None
    assert parse_request(None, (), None) is None


def test_one_id_a_line(tmp_path):
    assert read(tmp_path / "ids", "a.jpg\n\nb c.jpg\r\n#3\n") == NamedPairs(["a.jpg", "b c.jpg", "#3"])
    assert read(tmp_path / "bom.txt", "\ufeffä.jpg\n") == NamedPairs(["ä.jpg"])
    assert read(tmp_path / "spaces.txt", " p02 \nZoe\u0308\n") == NamedPairs(["p02", "Zo\u00eb"])
    assert read(tmp_path / "wide.txt", "ä.jpg\n".encode("utf-16")) == NamedPairs(["ä.jpg"])


def test_tables_of_units(tmp_path):
    assert read(tmp_path / "a.csv", "id,reason\n007,asked\n8,asked\n") == NamedPairs(
        ["007", "8"], None, ("reason",)
    )
    assert read(tmp_path / "a.tsv", "image\nNA\n") == NamedPairs(["NA"])
    assert read(tmp_path / "b.tsv", "id\n p02 \nZoe\u0308\n") == NamedPairs(["p02", "Zo\u00eb"])
    assert read(tmp_path / "a.jsonl", '{"unit": "1e5"}\n{"unit": "2024-01-01"}\n').units == [
        "1e5",
        "2024-01-01",
    ]
    assert read(tmp_path / "one.csv", "person\nAda\n", OWN) == NamedPairs(["Ada"])
    assert read(tmp_path / "one.jsonl", '{"person": "Ada"}').units == ["Ada"]
    pd.DataFrame({"id": [3, 4]}).to_parquet(tmp_path / "b.parquet")
    assert read(tmp_path / "a.parquet", (tmp_path / "b.parquet").read_bytes()) == NamedPairs(["3", "4"])


def test_rows_of_the_users_own_table_are_a_list(tmp_path):
    rows = "person,image,caption\nAda,a.jpg,a dog\n"
    assert read(tmp_path / "a.csv", rows, OWN) == NamedPairs(["Ada"], ["a dog"], ("image",))
    assert read(tmp_path / "b.csv", "id,person\nAda,Ada\n", OWN) == NamedPairs(["Ada"])


def test_a_column_of_the_second_modality_names_associations(tmp_path):
    found = read(tmp_path / "a.csv", 'image,text\na.jpg,"a dog, asleep"\n')
    assert found == NamedPairs(["a.jpg"], ["a dog, asleep"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ids", "", "names nothing to forget"),
        ("ids", " \n", "names nothing to forget"),
        ("a.csv", "", "is no .csv table"),
        (
            "a.csv",
            "imagee,text\nx,y\n",
            "has the columns imagee, text, and none of unit ids: name it unit",
        ),
        ("a.csv", "imagee,text\nx,y\n", "did you mean image"),
        ("a.csv", "text\ny\n", "none of unit ids"),
        ("a.csv", "p01\np02\n", r"name it unit, id or image \(a list without a heading is a .txt\)"),
        (
            "a.csv",
            "id,image\n1,a.jpg\n",
            "has two columns of unit ids, id and image, which differ: keep the one",
        ),
        ("a.csv", "id,why\na,b\n ,c\n", "row 2 has no id"),
        ("a.csv", "id,text\na,\n", "row 1 has no text"),
        ("a.jsonl", "{{", "is no .jsonl table"),
        ("a.parquet", "PAR1", "is no .parquet table"),
        ("ids", b"a\n\xe4.jpg\n", ":2: is not UTF-8"),
    ],
)
def test_what_is_no_list(tmp_path, name, content, message):
    with pytest.raises(UsageError, match=message):
        read(tmp_path / name, content)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"--forget .*missing cannot be read: No such file"):
        parse_request(str(tmp_path / "missing"), (), None)
    with pytest.raises(UsageError, match="Is a directory"):
        parse_request(str(tmp_path), (), None)


def test_options_that_contradict_each_other(tmp_path):
    (tmp_path / "ids").write_text("a\n")
    with pytest.raises(UsageError, match="--forget says itself how much is forgotten: leave out"):
        parse_request(str(tmp_path / "ids"), (), "3")
    with pytest.raises(UsageError, match="--forget-where says itself"):
        parse_request(None, ("a == b",), "3")
    with pytest.raises(UsageError, match="give one of them"):
        parse_request(str(tmp_path / "ids"), ("a == b",), None)


def test_conditions():
    request = parse_request(None, ("person == 17", "full name== 'Ada = \"L\"'", "a=='=='"), None)
    assert request is not None
    assert request.conditions == (
        Condition("person", "17"),
        Condition("full name", 'Ada = "L"'),
        Condition("a", "=="),
    )
    for text in ("person", "person = 17", "== 17", "a != b"):
        with pytest.raises(UsageError, match="is no condition: write 'COLUMN == VALUE'"):
            parse_request(None, (text,), None)


def test_a_list_may_be_named_with_the_content_that_it_must_have(tmp_path):
    path = tmp_path / "ids"
    path.write_text("a\n")
    fixed = fixed_list(str(path))
    assert fixed == f"{path}@{hashlib.sha256(b'a' + bytes([10])).hexdigest()[:12]}"
    assert fixed_list(fixed) == fixed
    request = parse_request(fixed, (), None)
    path.write_text("b\n")
    with pytest.raises(UsageError, match="has another content than was asked for: its SHA-256 begins with"):
        parse_request(fixed, (), None)
    assert request is not None
    with pytest.raises(UsageError, match="has changed since the run was planned"):
        read_list(request, SIDES)


def test_a_name_that_looks_like_one_with_a_digest(tmp_path):
    path = tmp_path / "ids@0123456789ab"
    path.write_text("a\n")
    request = parse_request(str(path), (), None)
    assert request is not None and request.file == path
