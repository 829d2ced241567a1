"""Classes of one's own pictures and texts: one picture or two, a text a row or one for all."""

from __future__ import annotations

import json

import numpy as np
import pytest
from miniatures import write_picture
from official_data import load, mmulbench
from table_miniatures import ANSWERS, IMAGES, labelled_rows, name_of, task_of, write_csv

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.progress import Progress
from mmulbench.runs.backbones import serving


def opened(root, **settings):
    task = task_of("labelled", **settings)
    return task, task.load(root, Progress())


def two_pictures() -> list[dict[str, str]]:
    """Each picture beside the next of its split."""
    rows = []
    for number in range(0, IMAGES, 2):
        row = labelled_rows()[len(ANSWERS) * number]
        for answer in ("true", "false"):
            statement = f"both show a {number % 5} of {answer}"
            pair = {"left": name_of(number), "right": name_of(number + 1)}
            rows.append({**pair, "statement": statement, "label": answer, "split": row["split"]})
    return rows


def test_classes_are_the_labels_of_the_table(kept):
    task, data = opened(kept)
    assert task.classes == ("no", "unsure", "yes") and task.shape.classes == 3
    labels = [task.classes[label] for label in data.train.label.tolist()]
    texts = [data.items["text"].texts[text] for text in data.train.second.tolist()]
    assert all(f"is {label}," in text for label, text in zip(labels, texts, strict=True))
    assert [*task.pair_columns(data)["label"]] == labels


def test_before_a_table_was_read_it_is_known_what_serves_it():
    one, two = task_of("labelled"), task_of("labelled", image2="right")
    assert one.shape.kind == "classification" and serving(one) == ["albef", "blip", "clip", "vilt"]
    assert two.shape.kind == "group classification" and two.group == 2 and "albef" in serving(two)


def test_two_pictures_of_a_row_are_one_unit(own):
    table = write_csv(own / "labelled" / "two.csv", two_pictures())
    task, data = opened(own, table=str(table), image="left", image2="right")
    assert task.classes == ("false", "true")
    groups, names = data.items["image"].groups, data.items["image"].images.names
    assert groups.shape == (IMAGES // 2, 2) and len(names) == IMAGES and len(data.train.units) == 30
    assert [names[part] for part in groups[0]] == ["images/000.jpg", "images/001.png"]
    assert task.item_names(data, "image")[0] == "images/000.jpg+images/001.png"
    assert task.forget_units(data, 3, 1).shape == (3,)


def test_a_picture_that_pairs_of_several_splits_share_is_named(own):
    rows = two_pictures()
    rows[-1]["right"] = rows[0]["left"]
    task = task_of(
        "labelled", table=str(write_csv(own / "labelled" / "two.csv", rows)), image="left", image2="right"
    )
    assert task.check(own, Progress()).notes == [
        "pictures in several splits: 1, such as images/000.jpg in train and test: what is deleted with one "
        "pair of pictures is still there with another"
    ]


def test_two_pictures_have_to_be_named(own):
    table = str(write_csv(own / "labelled" / "two.csv", two_pictures()))
    with pytest.raises(
        UsageError, match=r"two\.csv: no column has a name that is known for the image: say it"
    ):
        opened(own, table=table)
    with pytest.raises(UsageError, match=r"^--set task\.image2=rigth: .* did you mean right"):
        opened(own, table=table, image="left", image2="rigth")


def test_folders_of_classes_have_one_text_for_all(tmp_path):
    for number in range(30):
        write_picture(tmp_path / ("cat", "dog")[number % 2] / f"{number}.png", number)
    task, data = opened(tmp_path, table=str(tmp_path), prompt="what is it?")
    assert task.classes == ("cat", "dog") and data.items["text"].texts == ("what is it?",)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [24, 3, 3]
    names = data.items["image"].images.names
    for image, label in zip(data.train.first.tolist(), data.train.label.tolist(), strict=True):
        assert names[image].startswith(task.classes[label])
    with pytest.raises(
        UsageError, match=r"--set task\.text=COLUMN, or give all rows one text, --set task\.prompt"
    ):
        opened(tmp_path, table=str(tmp_path))


def test_the_prompt_stands_where_there_is_no_column(kept):
    with_text = opened(kept, prompt="which?")[1]
    assert with_text.fingerprint == opened(kept)[1].fingerprint


def test_numbers_of_classes_may_be_anything(own):
    """Labels -1, 10 and 2 are texts as others are, and other labels are other data."""
    before = load("labelled", own).fingerprint
    rows = [
        {**row, "label": {"yes": "10", "no": "2", "unsure": "-1"}[row["label"]]} for row in labelled_rows()
    ]
    table = str(write_csv(own / "labelled" / "numbers.csv", rows))
    task, data = opened(own, table=table)
    assert task.classes == ("-1", "10", "2") and data.fingerprint != before
    labels = np.bincount(data.train.label)
    assert labels.tolist() == [60, 60, 60]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: {"label": "yes"}, "the table has one label alone, 'yes'"),
        (lambda row: {"label": ""}, "the table has no labels"),
        (
            lambda row: {"label": "maybe"} if row["split"] == "test" else {},
            r"the label 'maybe' is in the split test",
        ),
        (lambda row: {"label": row["statement"] + row["image"] * 9}, "240 different labels"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(change, message, own, monkeypatch):
    monkeypatch.setattr("mmulbench.tasks._tables.table_data.MOST_CLASSES", 100)
    rows = [{**row, **change(row)} for row in labelled_rows()]
    table = str(write_csv(own / "labelled" / "bad.csv", rows))
    with pytest.raises(MmulbenchError, match=message) as caught:
        opened(own, table=table)
    assert type(caught.value) is MmulbenchError


def test_a_pair_with_two_labels_has_the_first(own):
    rows = labelled_rows()
    rows.insert(1, {**rows[0], "label": "no"})
    table = str(write_csv(own / "labelled" / "two.csv", rows))
    task, data = opened(own, table=table)
    assert len(data.train) == 180 and task.classes[data.train.label[0]] == "yes"


def test_the_check_shows_labels(kept, capsys):
    code, out, _ = mmulbench(capsys, "data", "check", "labelled", "--data-dir", kept, "--json")
    found = json.loads(out)
    assert code == 0 and len(found["sample"]) == 10
    assert found["sample"][0] == (
        "images/000.jpg (20 × 16 pixels): a dog is yes, 0, label yes, unit images/000.jpg"
    )


def test_it_says_what_it_is(capsys):
    code, out, _ = mmulbench(capsys, "describe", "task", "labelled")
    assert code == 0 and "classification: the labels of the table" in out and "image2" in out
    code, out, _ = mmulbench(capsys, "list", "tasks")
    assert code == 0 and "labelled" in out and "pairs" in out
