"""The four official data sets, read from miniatures of their layout, up to a record."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter

import miniatures
import numpy as np
import pytest
import torch
from official_data import edit, karpathy, load, mmulbench, paths_of, quick_records
from PIL import Image

from mmulbench.backbones._packaged_encoders import image_tokens
from mmulbench.backbones._pixels import resized_pixels
from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Split
from mmulbench.core.registry import TASKS
from mmulbench.core.task import TaskData
from mmulbench.errors import MmulbenchError
from mmulbench.progress import Progress

NAMES = sorted(miniatures.WRITERS)


def texts_of(data: TaskData, split: Split) -> dict[str, list[str]]:
    """Texts by image file, in order."""
    found: dict[str, list[str]] = {}
    for image, text in zip(split.first.tolist(), split.second.tolist(), strict=True):
        file = data.items["image"].images.names[image]
        found.setdefault(file, []).append(data.items["text"].texts[text])
    return found


@pytest.mark.parametrize(
    ("name", "pairs", "images", "texts"),
    [
        ("flickr30k", [299, 50, 50], 80, 349),
        ("coco", [300, 50, 50], 80, 350),
        ("snli_ve", [180, 30, 30], 80, 36),
        ("nlvr2", [120, 20, 20], 160, 6),
    ],
)
def test_counts(name, pairs, images, texts, kept):
    data = load(name, kept)
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == pairs
    assert [len(split.units) for split in splits] == [60, 10, 10]
    assert len(data.items["image"].images) == images
    assert len(data.items["text"]) == texts


def test_lists_by_split_give_what_karpathys_file_gives(kept, tmp_path):
    miniatures.write_flickr30k_lists(tmp_path)
    data = load("flickr30k", tmp_path)
    assert data.fingerprint == load("flickr30k", kept).fingerprint


def test_order_of_images_in_the_file_is_of_no_account(own):
    before = load("flickr30k", own)
    path = own / "flickr30k" / "dataset_flickr30k.json"
    document = json.loads(path.read_text())
    document["images"].reverse()
    miniatures.write_json(path, document)
    assert load("flickr30k", own).fingerprint == before.fingerprint


def test_captions_are_read_clean(kept):
    data = load("flickr30k", kept)
    first = miniatures.flickr_names()["train"][0]
    assert texts_of(data, data.train)[first] == [
        "a dog in the snow, picture 0.",
        "Tom & Ann's a dog, number 0",
        "a dog in the snow of 0",
        "a dog in the snow",
        "a photo of a dog with éclairs 0",
    ]


def test_half_a_character_is_a_question_mark(own):
    edit(karpathy(own), "a dog in the snow, picture 0.", r"dog \ud83d here")
    data = load("flickr30k", own)
    assert "dog ? here" in data.items["text"].texts


def test_a_caption_of_several_images_is_one_text(kept):
    data = load("flickr30k", kept)
    text = data.items["text"].texts.index("a dog in the snow")
    assert (data.train.second == text).sum() == 2


def test_restval_is_trained_on(kept):
    data = load("coco", kept)
    files = [paths_of(data)[unit] for unit in data.train.units]
    assert Counter(file.parent.name for file in files) == {"train2014": 40, "val2014": 20}


def test_gold_labels(kept):
    task = TASKS.get("snli_ve")()
    data = load("snli_ve", kept)
    for split in (data.train, data.validation, data.test):
        assert split.label is not None
        for text, label in zip(split.second, split.label, strict=True):
            assert f"is {task.classes[label]} <" in data.items["text"].texts[text]
    report = task.check(kept, Progress())
    assert report.dropped == {
        "no gold label (-)": 80,
        "repeated": 3,
        "repeated with another label; the first counts": 3,
    }


@pytest.mark.parametrize("seed", [42, 87])
def test_snli_ve_deletes_the_images_that_flickr30k_deletes(seed, kept):
    flickr, data = TASKS.get("flickr30k")(), load("snli_ve", kept)
    flickr_data = load("flickr30k", kept)

    def names(found, units):
        return [found.items["image"].images.names[unit] for unit in units]

    ours = names(data, TASKS.get("snli_ve")().forget_order(data, seed))
    theirs = names(flickr_data, flickr.forget_order(flickr_data, seed))
    trained = {*names(data, data.train.units)}
    both = [name for name in theirs if name in trained]
    assert ours[: len(both)] == both and 0 < len(both) < min(len(ours), len(theirs))
    assert sorted(ours) == sorted(trained)


def test_snli_ve_knows_a_change_of_flickr30ks_splits(own):
    before = load("snli_ve", own)
    edit(own / "flickr30k" / "dataset_flickr30k.json", '"split": "train"', '"split": "val"')
    assert load("snli_ve", own).fingerprint != before.fingerprint


SPELLINGS = {
    "extension": "{}.jpg".format,
    "large extension": "{}.JPG".format,
    "folder": "flickr30k-images/{}.jpg".format,
    "space": " {} ".format,
    "number": int,
    "float": float,
    "float as text": "{}.0".format,
    "float and extension": "{}.0.jpg".format,
}


def respell(root, spelled) -> None:
    """Write the image ids of SNLI-VE in another way."""
    for path in (root / "snli_ve").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_bytes().decode("utf-8-sig").splitlines()]
        miniatures.write_lines(path, [{**row, "Flickr30K_ID": spelled(row["Flickr30K_ID"])} for row in rows])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_image_ids_may_be_spelt_as_programs_leave_them(spelling, own):
    before = load("snli_ve", own)
    respell(own, SPELLINGS[spelling])
    assert load("snli_ve", own).fingerprint == before.fingerprint


@pytest.mark.parametrize("value", [None, True, 1.5, float("nan"), ["7"]])
def test_what_is_no_image_id_is_refused(value, own):
    respell(own, lambda _: value)
    with pytest.raises(MmulbenchError, match=r"train.jsonl:1: Flickr30K_ID .* is neither a number nor"):
        load("snli_ve", own)


def test_snli_ve_without_flickr30ks_images_has_no_order_of_deletion(own, capsys):
    path = karpathy(own)
    path.write_text(path.read_text().replace(".jpg", ".jpeg"))
    with pytest.raises(MmulbenchError, match=r"60 of 60 training images .* are none of flickr30k's, such as"):
        load("snli_ve", own)
    code, _, err = mmulbench(capsys, "data", "check", "snli_ve", "--data-dir", own)
    assert code == 1 and "Flickr30K_ID must be its file name" in err


class Noted(Progress):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


def notes_of(root) -> list[str]:
    progress = Noted()
    TASKS.get("snli_ve")().load(root, progress)
    return progress.lines


def test_snli_ve_says_how_many_images_it_does_not_share_with_flickr30k(own):
    """They are deleted after all others, so that the order is another than Flickr30K's."""
    before = notes_of(own)
    names = miniatures.flickr_names()["train"]
    document = json.loads(karpathy(own).read_text())
    for image in document["images"]:
        if image["filename"] in names:
            image["split"] = "train" if names.index(image["filename"]) % 3 else "val"
    miniatures.write_json(karpathy(own), document)
    (line,) = notes_of(own)
    count = re.match(r"(\d+) of 60 training images of snli_ve \((.*)%\), such as", line)
    assert count is not None and abs(int(count[1]) / 60 - float(count[2]) / 100) < 1e-3
    assert line.endswith("they are deleted after all others, in an order of their own") and line not in before


@pytest.mark.parametrize("ending", ["", "\r", "\r\n"])
def test_lists_made_on_windows(ending, own):
    before = load("flickr30k", own)
    folder = own / "flickr30k"
    lists: dict[str, list[dict[str, str]]] = {"train": [], "val": [], "test": []}
    for image in json.loads((folder / "dataset_flickr30k.json").read_bytes())["images"]:
        name = f"flickr30k-images\\{image['filename']}{ending}"
        lists[image["split"]] += [{"image": name, "caption": one["raw"]} for one in image["sentences"]]
    (folder / "dataset_flickr30k.json").unlink()
    for split, rows in lists.items():
        (folder / f"flickr30k_{split}.json").write_text(json.dumps(rows))
    assert load("flickr30k", own).fingerprint == before.fingerprint


def test_a_unit_of_nlvr2_is_two_images(kept):
    data = load("nlvr2", kept)
    groups, files = data.items["image"].groups, paths_of(data)
    assert groups.shape == (80, 2) and sorted(groups.reshape(-1)) == list(range(160))
    for left, right in groups:
        assert files[left].name.replace("img0", "img1") == files[right].name
        assert files[left].parent == files[right].parent
    assert {files[groups[unit, 0]].parent.parent.name for unit in data.train.units} == {"train"}


def test_nlvr2_prefers_the_directory_that_the_row_names(own):
    images = own / "nlvr2" / "images"
    (images / "old").mkdir()
    shutil.copy(images / "train" / "0" / "train-0-0-img0.png", images / "old")
    assert "old" not in {file.parent.name for file in paths_of(load("nlvr2", own))}
    shutil.copy(images / "dev" / "dev-0-0-img0.png", images / "old")
    with pytest.raises(MmulbenchError, match=r"dev-0-0-img0.png is in several folders of .*: keep one"):
        load("nlvr2", own)


def test_nlvr2_follows_links_to_folders(own, tmp_path):
    """Each split may lie on another disk, and several links may lead to one of them."""
    before = load("nlvr2", own)
    images, disk = own / "nlvr2" / "images", tmp_path / "disk"
    shutil.move(images, disk)
    images.mkdir()
    for split in ("train", "dev", "test1"):
        (images / split).symlink_to(disk / split)
    assert load("nlvr2", own).fingerprint == before.fingerprint
    (images / "val").symlink_to(disk / "dev")
    (images / "all").symlink_to(disk)
    (disk / "train" / "again").symlink_to("0")
    (disk / "dev" / "round").symlink_to("..")
    assert load("nlvr2", own).fingerprint == before.fingerprint


def test_nlvr2_takes_several_links_to_one_file(own):
    before = load("nlvr2", own)
    images = own / "nlvr2" / "images"
    (images / "a").mkdir()
    (images / "a" / "dev-0-0-img0.png").symlink_to("../dev/dev-0-0-img0.png")
    assert load("nlvr2", own).fingerprint == before.fingerprint


def test_nlvr2_names_a_link_to_a_folder_that_leads_out(own, tmp_path):
    folder = own / "nlvr2" / "images" / "train" / "0"
    shutil.move(folder, tmp_path / "disk")
    folder.symlink_to(tmp_path / "disk")
    with pytest.raises(MmulbenchError, match=r"train-\S+png: missing; the link \S+/train/0 was not followed"):
        load("nlvr2", own)


@pytest.mark.parametrize("name", NAMES)
def test_what_changes_the_fingerprint(name, own):
    before = load(name, own)
    file = paths_of(before)[0]
    file.write_bytes(file.read_bytes() + b"\0")
    bigger = load(name, own)
    assert bigger.fingerprint != before.fingerprint
    path = next(path for path in (own / name).iterdir() if "train" in path.name or "dataset" in path.name)
    if path.is_dir():
        path = own / name / f"dataset_{name}.json"
    edit(path, "a dog", "a wolf")
    assert load(name, own).fingerprint not in (before.fingerprint, bigger.fingerprint)


@pytest.mark.parametrize("name", NAMES)
def test_loading_decodes_nothing(name, kept, monkeypatch):
    monkeypatch.setattr("mmulbench.tasks._official.images.read_image", None)
    data = load(name, kept)
    with pytest.raises(TypeError):
        data.items["image"].images[0]


def test_backbones_resize_images_of_any_size(kept):
    images = load("flickr30k", kept).items["image"].images
    pixels = resized_pixels(images, 32).compute(range(80))
    assert pixels.shape == (80, 32, 32, 3)
    expected = Image.fromarray(images[7]).resize((32, 32), Image.Resampling.BICUBIC)
    assert np.array_equal(pixels[7], np.asarray(expected))


def test_frozen_features_of_images_of_any_size():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    as_array = image_tokens(images, 64, 1).compute(range(3))
    # Resizing to the size they have changes nothing, whoever does it.
    assert torch.equal(image_tokens([*images], 64, 1).compute(range(3)), as_array)
    two = [images[0], rng.integers(0, 256, (90, 40, 3), dtype=np.uint8)]
    mixed = image_tokens(two, 64, 1).compute(range(2))
    assert mixed.shape == (2, 4, 1280) and torch.allclose(mixed[0], as_array[0], atol=1e-2)
    assert not torch.allclose(mixed[1], as_array[1], atol=1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_limit_takes_so_many_units_of_each_split(name, kept):
    data, few = load(name, kept), load(name, kept, limit=7)
    assert [len(split.units) for split in (few.train, few.validation, few.test)] == [7, 7, 7]
    assert few.fingerprint != data.fingerprint
    assert load(name, kept, limit=100).fingerprint == data.fingerprint
    assert len(TASKS.get(name)().forget_order(few, 42)) == 7
    for limit in (-1, 1):
        with pytest.raises(ValueError, match=r"limit must be 0 \(all\) or at least 2"):
            load(name, kept, limit=limit)


@pytest.mark.parametrize(("units", "size"), [(29_000, 1_000), (2_000, 1_000), (1_999, 100), (60, 3)])
def test_default_forget_size(units, size):
    split = Split(np.arange(units), np.arange(units))
    data = TaskData({"image": RawItems(), "text": RawItems()}, split, split, split, "")
    assert TASKS.get("flickr30k")().forget_size(data, None) == size
    assert TASKS.get("flickr30k")().forget_size(data, 0.5) == round(units / 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_runs_from_files_to_record(name, kept, tmp_path, capsys):
    for record in quick_records(capsys, name, "albef:tiny", kept, tmp_path):
        assert record["spec"]["forget_size"] == 3
        assert record["values"]["test"]["value"] is not None
