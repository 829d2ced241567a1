"""What a table calls its units, copies among them, and what a forget list that says so means."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from table_miniatures import labelled_rows, pair_rows, task_of, write_csv

from mmulbench.core.task import Task
from mmulbench.errors import UsageError
from mmulbench.files import sha256_of
from mmulbench.progress import Progress
from mmulbench.runs.forget_choice import ForgetChoice, chosen
from mmulbench.runs.forget_list import ForgetRequest
from mmulbench.tasks._tables.table_data import TableData

ZEBRA = {"image": "zebra.jpg", "text": "a zebra", "split": "train"}
"""A row about a copy of the first picture."""

NAMES_OF_COPIES = "names of copies, which are one unit with the picture that they repeat"


@pytest.fixture
def folder(kept, tmp_path) -> Path:
    """Pictures of a table that a test writes, of which one has a copy."""
    (tmp_path / "images").symlink_to(kept / "pairs" / "images")
    shutil.copyfile(tmp_path / "images" / "000.jpg", tmp_path / "zebra.jpg")
    return tmp_path


def opened(folder: Path, rows, name: str = "pairs", **settings) -> tuple[Task, TableData]:
    task = task_of(name, table=str(write_csv(folder / "t.csv", rows)), **settings)
    data = task.load(folder, Progress())
    assert isinstance(data, TableData)
    return task, data


def choose(folder: Path, task: Task, data: TableData, *lines: str, name: str = "ids") -> ForgetChoice:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return chosen(ForgetRequest(file=path, digest=sha256_of(path)), task, data)


def test_a_copy_is_known_by_either_name(folder):
    task, data = opened(folder, [*pair_rows(), {**ZEBRA, "person": ""}])
    copy, own = (choose(folder, task, data, name) for name in ("zebra.jpg", "images/000.jpg"))
    assert copy.forget.units.tolist() == own.forget.units.tolist() and len(own.forget) == 1
    assert copy.named == own.named and copy.ids == own.ids == ("images/000.jpg",)
    assert own.notes == ()
    assert copy.notes == (f"--forget {folder / 'ids'}: {NAMES_OF_COPIES}: zebra.jpg means images/000.jpg",)
    both = choose(folder, task, data, "zebra.jpg", "images/004.png", "images/000.jpg")
    assert both.ids == ("images/000.jpg", "images/004.png")


def test_a_text_of_a_copy_is_an_association_of_either_name(folder):
    task, data = opened(folder, [*pair_rows(), {**ZEBRA, "person": ""}])
    of_copy = choose(folder, task, data, "unit,text", "zebra.jpg,a zebra", name="a.csv")
    of_other = choose(folder, task, data, "unit,text", "images/000.jpg,a zebra", name="a.csv")
    assert of_copy.ids == of_other.ids == ("images/000.jpg\ta zebra",)
    assert of_copy.forget.rows is not None and len(of_copy.forget.rows) == 1
    assert of_copy.notes and not of_other.notes
    other_text = choose(folder, task, data, "unit,text", "zebra.jpg,a dog in the snow", name="a.csv")
    assert other_text.ids == ("images/000.jpg\ta dog in the snow",)
    with pytest.raises(UsageError, match="1 association is not in the training split"):
        choose(folder, task, data, "unit,text", "zebra.jpg,a boat", name="a.csv")


def test_a_unit_of_one_copy_is_known_by_its_name(folder):
    task, data = opened(folder, [*pair_rows(), {**ZEBRA, "person": "p99"}], unit="person")
    found = choose(folder, task, data, "p99")
    assert found.ids == ("p0",) and len(found.forget) == 4
    assert found.named == choose(folder, task, data, "p0").named
    assert found.notes[0].endswith(": p99 means p0")
    assert data.other_names.keys() == {"p99"}


def test_a_copy_outside_the_training_split_is_refused_under_any_name(folder):
    shutil.copyfile(folder / "images" / "076.png", folder / "lion.png")
    rows = [*pair_rows(), {"image": "lion.png", "text": "a lion", "person": "", "split": "test"}]
    task, data = opened(folder, rows)
    with pytest.raises(UsageError, match=r"not in the training split but in that of test, .*: lion\.png$"):
        choose(folder, task, data, "lion.png")


def test_a_copy_in_a_pair_of_pictures_means_all_pairs_that_hold_it(folder):
    rows = [{**row, "image2": "images/004.png"} for row in labelled_rows()]
    more = {"image": "images/005.png", "image2": "zebra.jpg", "statement": "?", "label": "yes"}
    task, data = opened(
        folder, [*rows, {**more, "split": "train"}], "labelled", image2="image2", text="statement"
    )
    found = choose(folder, task, data, "zebra.jpg")
    assert found.ids == ("images/000.jpg+images/004.png", "images/005.png+zebra.jpg")
    assert choose(folder, task, data, "images/000.jpg").ids == found.ids
    assert choose(folder, task, data, "images/005.png+zebra.jpg").ids == found.ids[1:]


def test_tables_without_copies_have_no_other_names(kept):
    task = task_of("pairs")
    data = task.load(kept, Progress())
    assert task.other_names(data) == {}
