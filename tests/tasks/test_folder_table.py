"""Folders of pictures in the layout of imagefolder give the table that `datasets` makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from miniatures import write_picture
from table_miniatures import write_csv

from mmulbench.errors import MmulbenchError
from mmulbench.tasks._tables.folder_table import class_table, metadata_table
from mmulbench.tasks._tables.table_file import Table


def rows_of(table: Table | None) -> list[tuple[str, ...]]:
    assert table is not None
    return list(zip(*map(table.cells, table.columns), strict=True))


def captions(folder: Path, *numbers: int) -> Path:
    for number in numbers:
        write_picture(folder / f"{number}.png", number)
    rows = [{"file_name": f"{number}.png", "text": f"number {number}"} for number in numbers]
    return write_csv(folder / "metadata.csv", rows)


def theirs(folder: Path, *columns: str) -> dict[str, list[tuple[object, ...]]]:
    """What the library makes of a folder."""
    datasets = pytest.importorskip("datasets")
    found = datasets.load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(folder.parent / "cache"))
    parts = {}
    for split, data in found.items():
        data = data.cast_column("image", datasets.Image(decode=False))
        names = [str(Path(image["path"]).relative_to(folder)) for image in data["image"]]
        parts[split] = sorted(zip(names, *(data[column] for column in columns), strict=True))
    return parts


def test_a_table_beside_its_pictures(tmp_path):
    captions(tmp_path / "f", 1, 2)
    found = rows_of(metadata_table(tmp_path / "f", ""))
    assert found == [("1.png", "number 1"), ("2.png", "number 2")]
    assert theirs(tmp_path / "f", "text") == {"train": found}


def test_a_table_in_the_folder_of_each_split(tmp_path):
    folder = tmp_path / "f"
    for split, numbers in {"train": (1, 2), "test": (3,)}.items():
        captions(folder / split, *numbers)
    table = metadata_table(folder, "")
    assert sorted(rows_of(table)) == [
        ("test/3.png", "number 3", "test"),
        ("train/1.png", "number 1", "train"),
        ("train/2.png", "number 2", "train"),
    ]
    assert table is not None and table.where(2) == f"{folder / 'train' / 'metadata.csv'}:3"
    expected = {split: [row[:2] for row in rows_of(table) if row[2] == split] for split in ("train", "test")}
    assert theirs(folder, "text") == expected


def test_a_folder_for_each_class(tmp_path):
    for number, kind in enumerate(["dog", "cat", "dog"]):
        write_picture(tmp_path / "f" / kind / f"{number}.jpg", number)
    (tmp_path / "f" / "dog" / "notes.txt").write_text("no picture")
    table = class_table(tmp_path / "f")
    assert rows_of(table) == [("cat/1.jpg", "cat"), ("dog/0.jpg", "dog"), ("dog/2.jpg", "dog")]
    names = [(name, ["cat", "dog"][label]) for name, label in theirs(tmp_path / "f", "label")["train"]]  # type: ignore[call-overload]
    assert names == rows_of(table)


def test_a_folder_for_each_class_within_each_split(tmp_path):
    for number, kind in enumerate(["train/dog", "train/cat", "test/dog", "test/cat"]):
        write_picture(tmp_path / kind / f"{number}.png", number)
    assert rows_of(class_table(tmp_path)) == [
        ("test/cat/3.png", "cat", "test"),
        ("test/dog/2.png", "dog", "test"),
        ("train/cat/1.png", "cat", "train"),
        ("train/dog/0.png", "dog", "train"),
    ]


def test_other_folders_are_no_tables(tmp_path):
    write_picture(tmp_path / "a.png", 1)
    assert metadata_table(tmp_path, "") is None and class_table(tmp_path) is None


def test_tables_of_splits_have_to_fit_together(tmp_path):
    captions(tmp_path / "train", 1)
    write_csv(tmp_path / "test" / "metadata.csv", [{"file_name": "2.png", "caption": "x"}])
    with pytest.raises(MmulbenchError, match=r"metadata\.csv has other columns than .*metadata\.csv"):
        metadata_table(tmp_path, "")
    for split in ("train", "test"):
        write_csv(tmp_path / split / "metadata.csv", [{"name": "2.png", "caption": "x"}])
    with pytest.raises(MmulbenchError, match="has no column file_name, which the layout needs"):
        metadata_table(tmp_path, "")
