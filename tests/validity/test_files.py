from __future__ import annotations

import json
import os

import pytest
from forged import RESULTS, committed, forged_fields, stored

from mmulbench.errors import UsageError
from mmulbench.validity.files import check_file, check_places


def texts(path):
    return [one.text for one in check_file(path).faults]


def test_all_committed_records_hold():
    checked = list(check_places([RESULTS]))
    assert len(checked) == len(list(RESULTS.rglob("*.json")))
    assert [one for one in checked if one.faults] == []


def test_each_field_of_a_wrong_form_is_named(tmp_path):
    fields = committed()
    fields["spec"]["seed"], fields["values"]["test"]["n"], fields["extra"] = "x", -1, 1
    del fields["environment"]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(fields))
    found = {one.field: one.text for one in check_file(path).faults}
    assert found.keys() == {"spec.seed", "values.test.n", "extra", "environment"}
    assert found["spec.seed"].startswith(
        "spec.seed is x; it should be valid (Input should be a valid integer"
    )
    assert found["environment"] == "environment is missing; it should be valid (Field required)"


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"schema_version": 9}', "\0"])
def test_what_is_no_record_is_named(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    (text,) = texts(path)
    assert text.startswith("file is no record: ")


def test_the_id_is_the_hash_of_the_specification(tmp_path):
    fields = forged_fields({"spec.seed": 43, "run_id": committed()["run_id"]})
    path = stored(tmp_path, fields)
    assert texts(path) == [
        f"run_id is {committed()['run_id']}; it should be {path.stem[-12:]}, the hash of spec"
    ]


def test_a_record_belongs_where_its_specification_says(tmp_path):
    path = stored(tmp_path, committed())
    assert texts(path) == []
    other = path.with_name("64-43-000000000000.json")
    other.write_bytes(path.read_bytes())
    (text,) = texts(other)
    assert text.startswith("file is at ") and text.endswith(f"mmul/{path.name}, as spec says")
    fields = forged_fields({"spec.method": "../mine"})
    path.write_text(json.dumps(fields))
    assert any(text.startswith("spec has a name that is none of a folder") for text in texts(path))


def test_a_field_that_is_there_twice_is_found(tmp_path):
    path = stored(tmp_path, committed())
    path.write_text(path.read_text().replace('"seed": 42', '"seed": 7, "seed": 42'))
    assert texts(path) == ["seed is there twice in one object; it should be there once"]


def test_folders_are_searched_and_what_cannot_be_read_is_named(tmp_path):
    path = stored(tmp_path, committed())
    os.mkfifo(path.with_name("pipe.json"))
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    found = {one.path.name: [fault.text for fault in one.faults] for one in check_places([tmp_path])}
    assert found == {
        path.name: [],
        "pipe.json": ["file is no record: not a regular file; it should be one that is whole"],
        "gone.json": ["file is no record: a link that leads nowhere; it should be one that is whole"],
    }


def test_a_place_without_records_is_wrong_use(tmp_path):
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match=r"there (are|is) no record"):
            list(check_places([place]))
