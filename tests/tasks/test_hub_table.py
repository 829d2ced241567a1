"""Data sets that the library `datasets` reads give the pairs that a table of the same gives."""

from __future__ import annotations

from pathlib import Path

import datasets
import hub_miniatures
import pytest
from hub_miniatures import picture
from official_data import load
from table_miniatures import labelled_rows, pair_rows, task_of

from mmulbench.core.registry import TASKS
from mmulbench.core.task import TaskData
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.progress import Progress

IMAGE = datasets.Image(decode=False)


@pytest.fixture(scope="module", autouse=True)
def library_cache(tmp_path_factory):
    with hub_miniatures.library_cache(tmp_path_factory.mktemp("library")) as cache:
        yield cache


def pairs(kept: Path, **more) -> list[dict]:
    """The rows of the table, with pictures inside."""
    rows = []
    for row in pair_rows():
        file = kept / "pairs" / row["image"]
        rows.append({**row, "image": picture(file), "number": int(file.stem), **more})
    return rows


def texts_by_image(data: TaskData) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    names, texts = data.items["image"].images.names, data.items["text"].texts
    for split in (data.train, data.validation, data.test):
        for image, text in zip(split.first.tolist(), split.second.tolist(), strict=True):
            found.setdefault(Path(names[image]).name, set()).add(texts[text])
    return found


def test_a_folder_of_parquet_files_gives_what_a_table_gives(kept, tmp_path):
    folder = hub_miniatures.save(tmp_path / "hub", {"train": pairs(kept)}, image=IMAGE)
    found, table = (load("pairs", kept, table=place, unit="person") for place in (str(folder), ""))
    assert texts_by_image(found) == texts_by_image(table)
    assert [len(one) for one in (found.train, found.validation, found.test)] == [120, 20, 20]
    columns = TASKS.get("pairs")().pair_columns(found)
    assert {"person", "number", "split", "text", "image"} <= set(columns)
    assert set(columns["person"]) == {f"p{number}" for number in range(15)}
    first = found.items["image"].images
    assert first[0].shape == table.items["image"].images[0].shape


def test_splits_are_those_of_the_data_set_where_no_column_names_them(kept, tmp_path):
    parts = {"train": [], "validation": [], "test": [], "hidden": []}
    for row in pairs(kept):
        split = {"val": "validation"}.get(row.pop("split"), "test" if row["number"] >= 70 else "train")
        parts[split].append(row)
    parts["hidden"].append(parts["test"].pop())
    found = load("pairs", tmp_path, table=str(hub_miniatures.save(tmp_path / "hub", parts, image=IMAGE)))
    assert [len(one) for one in (found.train, found.validation, found.test)] == [120, 20, 19]


def test_one_split_alone_is_drawn_from(kept, tmp_path):
    rows = [{key: value for key, value in row.items() if key != "split"} for row in pairs(kept)]
    found = load(
        "pairs", tmp_path, table=str(hub_miniatures.save(tmp_path / "hub", {"train": rows}, image=IMAGE))
    )
    assert [len(one.units) for one in (found.train, found.validation, found.test)] == [64, 8, 8]


def test_splits_are_drawn_where_the_user_wants_none(kept, tmp_path):
    folder = hub_miniatures.save(tmp_path / "hub", {"train": pairs(kept)}, image=IMAGE)
    found = load("pairs", tmp_path, table=str(folder), split="-")
    assert [len(one.units) for one in (found.train, found.validation, found.test)] == [64, 8, 8]


def test_a_list_of_texts_is_a_row_each(kept, tmp_path):
    rows = pairs(kept)[::2]
    for row in rows:
        row["caption"] = [row.pop("text"), "another"]
    found = load(
        "pairs", tmp_path, table=str(hub_miniatures.save(tmp_path / "hub", {"train": rows}, image=IMAGE))
    )
    assert len(found.train) == 120 and "another" in found.items["text"].texts


def test_pictures_without_names_or_with_one_for_all_are_told_by_their_content(kept, tmp_path):
    for number, path in enumerate((None, "image.png")):
        rows = pairs(kept)
        for row in rows:
            row["image"]["path"] = path
        folder = hub_miniatures.save(tmp_path / str(number), {"train": rows}, image=IMAGE)
        found = load("pairs", tmp_path, table=str(folder))
        assert len(set(found.items["image"].images.names)) == 80 and len(found.train.units) == 60
        digests = {image.digest[:12] for image in found.items["image"].images.stored}
        assert {name.removeprefix("image.png@") for name in found.items["image"].images.names} == digests


def test_two_pictures_and_a_label_by_number(kept, tmp_path):
    rows = []
    for row in labelled_rows():
        file = picture(kept / "labelled" / row["image"])
        rows.append({**row, "image": file, "other": picture(kept / "labelled" / "images" / "000.jpg")})
    label = datasets.ClassLabel(names=["yes", "no", "unsure"])
    folder = hub_miniatures.save(tmp_path / "hub", {"train": rows}, image=IMAGE, other=IMAGE, label=label)
    task = task_of("labelled", table=str(folder), image2="other")
    data = task.load(tmp_path, Progress())
    assert task.classes == ("no", "unsure", "yes") and task.group == 2
    assert data.items["image"].groups.shape == (80, 2) and len(data.train) == 180


def test_what_cannot_be_read_is_said_by_the_name_of_the_setting(tmp_path, kept):
    with pytest.raises(UsageError, match=r"^--set task\.table=no/body: the hub|^--set task\.table=no/body"):
        load("pairs", tmp_path, table="no/body")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"^--set task\.table=.*empty"):
        load("pairs", tmp_path, table=str(tmp_path / "empty"))
    rows = [{"image": row["image"], "wording": row["text"]} for row in pairs(kept)]
    folder = str(hub_miniatures.save(tmp_path / "hub", {"train": rows}, image=IMAGE))
    with pytest.raises(
        UsageError, match=r"^--set task\.table=.* has no column text or caption .* columns are"
    ):
        load("pairs", tmp_path, table=folder)
    with pytest.raises(UsageError, match=r"has no column picture: name it, --set task\.image=COLUMN"):
        load("pairs", tmp_path, table=folder, text="wording", image="picture")


def test_values_that_are_lists_are_refused(kept, tmp_path):
    rows = pairs(kept, person=["p1", "p2"])
    folder = hub_miniatures.save(tmp_path / "hub", {"train": rows}, image=IMAGE)
    with pytest.raises(MmulbenchError, match=r"row 0: the unit must be a single value, not list"):
        load("pairs", tmp_path, table=str(folder), unit="person")
