"""A table, its columns, and the folder that its pictures are in."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.tasks._tables.table_file import read_table
from mmulbench.tasks._tables.table_source import TableSource, open_table, table_in


@pytest.fixture
def source(tmp_path) -> TableSource:
    (tmp_path / "table.csv").write_text("path,caption\na.png,x\n")
    (tmp_path / "a.png").write_bytes(b"a picture")
    return open_table(
        read_table(tmp_path / "table.csv"), tmp_path, {"image": "", "text": "caption"}, frozenset()
    )


def test_columns_that_were_guessed_are_told_from_those_that_were_named(source):
    assert source.columns == {"image": "path", "text": "caption"} and source.guessed == {"image": "path"}


def test_pictures_are_found_in_their_folder(source, tmp_path):
    found = source.find("a.png")
    assert found is not None and found.content() == b"a picture"
    assert source.find("b.png") is None and source.images == tmp_path


def test_names_are_plain_and_stay_inside(source, tmp_path):
    assert source.plain_name("./x\\a.png", "t:1") == "x/a.png"
    assert source.plain_name(str(tmp_path / "x" / "a.png"), "t:1") == "x/a.png"
    for name in ("../a.png", "/etc/a.png", "https://example.org/a.png"):
        with pytest.raises(MmulbenchError, match=r"^t:1: the file name .* leads out of the data folder"):
            source.plain_name(name, "t:1")


def test_a_link_that_leads_out_is_refused(source, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    outside.write_bytes(b"secret")
    (tmp_path / "link.png").symlink_to(outside)
    with pytest.raises(MmulbenchError, match="this link leads out of"):
        source.find("link.png")


def test_a_folder_that_is_not_there_is_wrong_use(source):
    with pytest.raises(UsageError, match=r"^--set task\.images=no: there is no such folder$"):
        open_table(source.table, Path("no"), {"image": "", "text": ""}, frozenset())


def test_a_folder_has_one_table_of_a_name(tmp_path, source):
    found = table_in(tmp_path, "table", "")
    assert found is not None and found.cells("path") == ["a.png"]
    assert table_in(tmp_path, "metadata", "") is None
    (tmp_path / "table.jsonl").write_text("{}")
    with pytest.raises(UsageError, match=r"has both table\.csv and table\.jsonl: keep one"):
        table_in(tmp_path, "table", "")
