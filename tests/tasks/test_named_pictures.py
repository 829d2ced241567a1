"""The pictures that a table names: missing ones, copies, and those that are no pictures yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from miniatures import write_picture
from table_miniatures import write_csv

from mmulbench.errors import MmulbenchError
from mmulbench.file_digests import Hints
from mmulbench.progress import Progress
from mmulbench.tasks._tables.named_pictures import Pictures, find_pictures, named_pictures
from mmulbench.tasks._tables.table_file import read_table
from mmulbench.tasks._tables.table_source import open_table

ROLES = {"image": "a", "image2": "b"}


def pictures_of(folder: Path, *rows: tuple[str, str]) -> tuple[Pictures, list, list, list]:
    """Pictures, items, the item of each row, and what the rows call them."""
    table = read_table(write_csv(folder / "t.csv", [{"a": a, "b": b} for a, b in rows]))
    source = open_table(table, folder, ROLES, frozenset())
    named = named_pictures(source, ["image", "image2"])
    found = find_pictures(source, named, Hints(folder), Progress())
    items, places = found.items(named)
    return found, items, places.tolist(), list(named.written)


@pytest.fixture
def folder(tmp_path) -> Path:
    for number, name in enumerate("xyz"):
        write_picture(tmp_path / f"{name}.png", number)
    shutil.copyfile(tmp_path / "x.png", tmp_path / "copy.png")
    return tmp_path


def test_pictures_of_one_content_are_one(folder):
    found, items, places, written = pictures_of(
        folder, ("x.png", "y.png"), ("copy.png", "y.png"), ("./x.png", "z.png"), ("x.png", "y.png")
    )
    assert items == [("copy.png", "y.png"), ("copy.png", "z.png")] and places == [0, 0, 1, 0]
    assert found.copies == [("x.png", "copy.png")] and not found.faults
    assert written == ["x.png+y.png", "copy.png+y.png", "./x.png+z.png", "x.png+y.png"]


def test_the_two_pictures_of_an_item_have_an_order(folder):
    _, items, places, _ = pictures_of(folder, ("x.png", "y.png"), ("y.png", "x.png"))
    assert len(items) == 2 and places == [0, 1]


def test_what_is_missing_is_said_with_the_row_that_names_it_first(folder):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (folder / "p.png").write_text(pointer)
    found, items, _, _ = pictures_of(folder, ("x.png", "no.png"), ("no.png", "p.png"), ("p.png", "y.png"))
    assert found.faults == [
        f"{folder / 't.csv'}:2: {folder / 'no.png'} is missing",
        f"{folder / 't.csv'}:3: {folder / 'p.png'} is a Git LFS pointer, which stands for the file itself: "
        "run git lfs pull",
    ]
    assert set(found.stored) == {"x.png", "y.png"} and len(items) == 3


def test_a_row_without_a_picture_is_refused(folder):
    with pytest.raises(MmulbenchError, match=r"t\.csv:3: no picture in the column 'b'$"):
        pictures_of(folder, ("x.png", "y.png"), ("x.png", " "))
