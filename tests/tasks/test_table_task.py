"""What tasks on a table share: where the table is, units, splits, notes, and what a check says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from table_miniatures import pair_rows, task_of, write_csv

from mmulbench.core.item_names import ListColumns
from mmulbench.core.registry import TASKS
from mmulbench.core.task import Task
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import sha256_of
from mmulbench.progress import Progress
from mmulbench.runs.forget_choice import chosen
from mmulbench.runs.forget_list import Condition, ForgetRequest
from mmulbench.seeds import generator
from mmulbench.tasks._tables.table_data import TableData


class Notes(Progress):
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


def opened(root: Path, **settings) -> tuple[Task, TableData, list[str]]:
    task, notes = task_of("pairs", **settings), Notes()
    data = task.load(root, notes)
    assert isinstance(data, TableData)
    return task, data, notes.lines


@pytest.fixture
def folder(kept, tmp_path) -> Path:
    """Pictures of a table that a test writes."""
    (tmp_path / "images").symlink_to(kept / "pairs" / "images")
    return tmp_path


def write(folder: Path, rows, name: str = "t.csv") -> str:
    return str(write_csv(folder / name, rows))


def bare(*columns: str) -> list[dict[str, str]]:
    """The rows without some columns."""
    return [{key: value for key, value in row.items() if key not in columns} for row in pair_rows()]


def test_the_table_is_where_it_is_said_to_be(kept, folder, monkeypatch):
    (folder / "data").mkdir()
    expected = opened(kept)[1].fingerprint
    table = write(folder, pair_rows())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    for place in (table, "t.csv", "./t.csv", "~/t.csv"):
        assert opened(folder / "data", table=place)[1].fingerprint == expected, place
    moved = shutil.move(table, folder / "data" / "t.csv")
    assert opened(kept, table=str(moved), images=str(folder))[1].fingerprint == expected


@pytest.mark.parametrize("settings", [{}, {"table": "no.csv"}, {"table": "no"}, {"table": "t.xlsx"}])
def test_a_table_that_is_not_there_is_wrong_use(settings, tmp_path):
    with pytest.raises(UsageError) as caught:
        opened(tmp_path, **settings)
    text = str(caught.value)
    assert "\n" not in text
    if not settings:
        assert text.startswith("pairs needs a table, --set task.table=FILE, looked for in ")


def test_columns_that_were_guessed_are_printed(kept):
    _, _, lines = opened(kept, text="text")
    assert lines == [
        f"{kept / 'pairs' / 'table.csv'}: columns taken by their names: image=image, split=split "
        "(--set task.image=COLUMN …)"
    ]


def listed(folder: Path, *ids: str) -> ForgetRequest:
    """What ``--forget`` with a list of ids asks for."""
    path = folder / "ids.txt"
    path.write_text("".join(f"{one}\n" for one in ids))
    return ForgetRequest(file=path, digest=sha256_of(path))


@pytest.fixture(scope="module")
def found(kept):
    """Task and data of a table with a column of units."""
    return opened(kept, unit="person")[:2]


class TestUnits:
    def test_items_are_called_by_their_unit(self, found):
        task, data = found
        names = task.item_names(data, "image")
        images = data.items["image"].images.names
        assert {name: names[place] for place, name in enumerate(images)}["images/004.png"] == "p1"
        assert [*names].count("p1") == 4 and task.item_names(data, "text") == data.items["text"].texts

    def test_forget_sizes_count_units(self, found):
        task, data = found
        assert task.unit_count(data) == 15 and task.forget_size(data, 0.2) == 3
        assert task.forget_size(data, None) == 1 and task.forget_size(data, 14) == 14
        with pytest.raises(UsageError, match="forget size 15 is out of range: 1 to 14 units"):
            task.forget_size(data, 15)

    def test_units_are_forgotten_whole_and_sizes_are_nested(self, found):
        task, data = found
        names, before = task.item_names(data, "image"), np.array([], dtype=np.int64)
        for size in (1, 3, 14):
            units = task.forget_units(data, size, seed=7)
            assert len(units) == 4 * size and len({names[unit] for unit in units}) == size
            assert np.array_equal(units[: len(before)], before)
            before = units
        assert set(task.forget_units(data, 3, 8)) != set(task.forget_units(data, 3, 7))
        assert sorted(task.forget_order(data, 7)) == data.train.units.tolist()

    def test_without_a_column_units_are_as_everywhere(self, kept):
        task, data, _ = opened(kept)
        order = generator(7, "forget").permutation(data.train.units)
        assert np.array_equal(task.forget_order(data, 7), order)
        assert np.array_equal(task.forget_units(data, 5, 7), order[:5]) and task.unit_numbers(data) is None

    def test_pairs_are_chosen_by_every_column(self, found):
        task, data = found
        columns = task.pair_columns(data)
        assert set(columns) == {"image", "text", "person", "split"}
        place = np.flatnonzero(np.array([*columns["person"]]) == "p2")
        items = np.unique(data.train.first[place])
        assert [data.items["image"].images.names[one] for one in items] == [
            f"images/{number:03d}{'.png' if number % 3 else '.jpg'}" for number in range(8, 12)
        ]
        texts = [data.items["text"].texts[text] for text in data.train.second.tolist()]
        assert [*columns["text"]] == texts

    def test_a_list_names_units_and_a_condition_any_column(self, found, tmp_path):
        task, data = found
        both = chosen(listed(tmp_path, "p3", "p1"), task, data)
        assert len(both.forget) == 8 and task.units_among(data, both.forget.units) == 2
        where = ForgetRequest(conditions=(Condition("person", "p1"),))
        assert set(chosen(where, task, data).forget.units) < set(both.forget.units)

    def test_rows_of_the_table_are_a_list(self, found, tmp_path):
        """They name the unit by its own column, not by the picture, and the texts that are meant."""
        task, data = found
        assert task.list_columns(data) == ListColumns(("person", "image"), ("text", "text"))
        rows = [row for row in pair_rows() if row["person"] == "p1"]
        path = write_csv(tmp_path / "rows.csv", rows[:2])
        found_rows = chosen(ForgetRequest(file=path, digest=sha256_of(path)), task, data)
        assert found_rows.named.level == "pairs" and found_rows.ids[0].startswith("p1\t")
        assert found_rows.notes[0].endswith("columns that say nothing here: image, split")

    def test_a_unit_is_one_however_its_name_is_written(self, folder):
        rows = pair_rows()
        for number, row in enumerate(rows):
            if row["person"] == "p1":
                row["person"] = "Zo\u00eb" if number % 2 else " Zoe\u0308 "
        task, data, _ = opened(folder, table=write(folder, rows), unit="person")
        assert task.unit_count(data) == 15
        for name in ("Zo\u00eb", "Zoe\u0308"):
            assert len(chosen(listed(folder, name), task, data).forget) == 4

    def test_a_unit_in_two_splits_is_refused(self, folder):
        rows = pair_rows()
        for row in rows:
            row["person"] = row["person"].replace("val0", "p0")
        with pytest.raises(MmulbenchError) as caught:
            opened(folder, table=write(folder, rows), unit="person")
        assert "of the unit 'p0' is in the split validation, but images/000.jpg is in train at " in str(
            caught.value
        )

    def test_one_unit_alone_leaves_nothing_to_keep(self, folder):
        rows = [{**row, "person": "p" if row["split"] == "train" else row["person"]} for row in pair_rows()]
        with pytest.raises(MmulbenchError, match="1 training unit: it takes one to forget and one to keep"):
            opened(folder, table=write(folder, rows), unit="person")


class TestSplits:
    def test_they_are_drawn_by_unit_and_said(self, folder):
        table = write(folder, bare("split"))
        _, data, lines = opened(folder, table=table, unit="person", split_seed=3)
        counts = [len(split.units) for split in (data.train, data.validation, data.test)]
        assert sum(counts) == 80 and counts[0] >= 60
        owners = [set(data.owners[split.units]) for split in (data.train, data.validation, data.test)]
        assert not owners[0] & owners[1] and not owners[0] & owners[2] and not owners[1] & owners[2]
        assert lines[1] == (
            "splits are drawn: 10% for validation and 10% for test of the units by the seed 3 "
            "(--set task.split=COLUMN names splits)"
        )
        assert opened(folder, table=table, unit="person", split_seed=3)[1].fingerprint == data.fingerprint
        assert opened(folder, table=table, unit="person", split_seed=4)[1].fingerprint != data.fingerprint

    def test_shares_are_settings(self, folder):
        table = write(folder, bare("split"))
        _, data, _ = opened(folder, table=table, validation_share=0.25, test_share=0.5)
        assert [len(split.units) for split in (data.train, data.validation, data.test)] == [20, 20, 40]
        for wrong in ({"test_share": 0}, {"validation_share": 0.5, "test_share": 0.5}):
            with pytest.raises(ValueError, match="above 0, and together below 1"):
                TASKS.get("pairs").Config(**wrong)

    def test_the_order_of_rows_is_of_no_account(self, folder):
        rows = bare("split")
        pairs = [rows[start : start + 2] for start in range(0, len(rows), 2)]
        turned = [row for two in reversed(pairs) for row in two]
        tables = [write(folder, rows, "a.csv"), write(folder, turned, "b.csv")]
        (first, second) = (opened(folder, table=table)[1] for table in tables)
        for split in ("train", "validation", "test"):
            assert np.array_equal(getattr(first, split).first, getattr(second, split).first)

    def test_validation_is_drawn_where_it_alone_is_missing(self, folder):
        rows = [{**row, "split": row["split"].replace("val", "train")} for row in pair_rows()]
        _, data, lines = opened(folder, table=write(folder, rows))
        assert [len(split.units) for split in (data.train, data.validation, data.test)] == [63, 7, 10]
        assert lines[1].startswith("validation is drawn: 10% of the units by the seed 0")


class TestCopies:
    """One picture under two names."""

    def test_they_are_one_item_with_the_texts_of_both(self, folder, kept):
        shutil.copyfile(kept / "pairs" / "images" / "000.jpg", folder / "zebra.jpg")
        rows = [*pair_rows(), {"image": "zebra.jpg", "text": "a zebra", "person": "", "split": "train"}]
        _, data, lines = opened(folder, table=write(folder, rows))
        item = data.items["image"].images.names.index("images/000.jpg")
        texts = [data.items["text"].texts[text] for text in data.train.second[data.train.first == item]]
        assert texts == ["a dog in the snow, picture 0", "a dog in the snow", "a zebra"]
        assert len(data.train.units) == 60 and "zebra.jpg" not in data.items["image"].images.names
        assert lines[1] == (
            "copies of pictures, byte by byte: 1, such as zebra.jpg of images/000.jpg; copies are one item "
            "with it, which has the texts of all"
        )

    def test_their_units_are_one(self, folder, kept):
        shutil.copyfile(kept / "pairs" / "images" / "000.jpg", folder / "zebra.jpg")
        rows = [*pair_rows(), {"image": "zebra.jpg", "text": "a zebra", "person": "p9", "split": "train"}]
        task, data, _ = opened(folder, table=write(folder, rows), unit="person")
        assert task.unit_count(data) == 14
        names = task.item_names(data, "image")
        owners = {names[item]: owner for item, owner in enumerate(data.owners.tolist())}
        assert owners["p0"] == owners["p9"] != owners["p1"]
        found = chosen(listed(folder, "p9"), task, data)
        assert len(found.forget) == 8 and {names[unit] for unit in found.forget.units} == {"p0", "p9"}

    def test_across_splits_they_are_refused_with_both_names(self, folder, kept):
        shutil.copyfile(kept / "pairs" / "images" / "000.jpg", folder / "zebra.jpg")
        rows = [*pair_rows(), {"image": "zebra.jpg", "text": "a zebra", "person": "", "split": "test"}]
        table = write(folder, rows)
        with pytest.raises(MmulbenchError) as caught:
            opened(folder, table=table)
        assert str(caught.value) == (
            f"{table}:162: zebra.jpg, in the split test, is the same picture as images/000.jpg, in train at "
            f"{table}:2: keep it in one split"
        )
        task = task_of("pairs", table=table)
        assert task.check(folder, Progress()).problems == [str(caught.value)]


def test_missing_pictures_are_counted_and_all_listed_by_the_check(folder):
    rows = pair_rows()
    for row in rows[:4]:
        row["image"] = f"no-{row['image'][-7:]}"
    table = write(folder, rows)
    with pytest.raises(MmulbenchError) as caught:
        opened(folder, table=table)
    assert str(caught.value) == (
        f"{table}:2: {folder / 'no-000.jpg'} is missing (and 1 more: mmulbench data check pairs --set "
        f"task.table={table})"
    )
    report = task_of("pairs", table=table).check(folder, Progress())
    assert report.problems == [
        f"{table}:{row}: {folder / name} is missing" for row, name in ((2, "no-000.jpg"), (4, "no-001.png"))
    ]
    assert report.counts["train"] == (60, 120) and "not decoded" in report.sample[-1]


def test_what_is_left_out_is_said(folder):
    rows = pair_rows()
    rows[0]["text"], rows[3]["text"] = " ", rows[2]["text"]
    _, data, lines = opened(folder, table=write(folder, rows))
    assert lines[1:] == ["rows left out: 1 (empty text)", "rows left out: 1 (repeated)"]
    assert len(data.train) == 118


def test_a_repaired_picture_is_other_data(own):
    before = opened(own)[1].fingerprint
    shutil.copyfile(own / "pairs" / "images" / "001.png", own / "pairs" / "images" / "000.jpg")
    rows = pair_rows()
    assert opened(own)[1].fingerprint != before
    write_csv(own / "pairs" / "table.csv", [{**row, "person": f"x{row['person']}"} for row in rows])
    assert opened(own)[1].fingerprint != before


def test_the_check_describes_ten_pairs(kept):
    report = task_of("pairs", unit="person").check(kept, Progress())
    assert report.counts == {"train": (60, 120), "validation": (10, 20), "test": (10, 20)}
    assert len(report.sample) == 10 and not report.problems
    assert report.sample[0] == "images/000.jpg (20 × 16 pixels): a dog in the snow, picture 0, unit p0"
    assert report.notes == ["train: 15 units, which --forget-size counts, of 60 items"]
