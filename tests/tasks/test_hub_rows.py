"""Rows of data sets on a hub: the same data as from local files, and which rows are refused."""

from __future__ import annotations

import io
import json
import os
import re
import time
from pathlib import Path

import datasets
import hub_miniatures
import numpy as np
import pytest
from official_data import load, mmulbench
from PIL import Image

from mmulbench import file_digests
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.file_digests import ContentChanged
from mmulbench.tasks._official import hub_rows


@pytest.fixture(scope="module", autouse=True)
def library_cache(tmp_path_factory):
    with hub_miniatures.library_cache(tmp_path_factory.mktemp("library")) as cache:
        yield cache


@pytest.fixture(scope="module")
def hubs(kept, tmp_path_factory) -> dict[str, Path]:
    """Every form, written once."""
    root = tmp_path_factory.mktemp("hubs")
    return {name: write(kept, root / name) for name, (_, write) in hub_miniatures.FORMS.items()}


def flickr(folder: Path, rows: list[dict], **features) -> str:
    return str(hub_miniatures.save(folder, {"test": rows}, **{"image": datasets.Image(), **features}))


@pytest.fixture
def rows(kept) -> list[dict]:
    """Flickr30K's rows, to spoil."""
    return hub_miniatures.flickr_rows(kept)


@pytest.mark.parametrize("form", hub_miniatures.FORMS)
def test_a_hub_gives_what_local_files_give(form, hubs, kept):
    name = hub_miniatures.FORMS[form][0]
    local, hub = load(name, kept), load(name, kept, hub=str(hubs[form]))
    assert hub.fingerprint == local.fingerprint
    for split in ("train", "validation", "test"):
        ours, theirs = getattr(hub, split), getattr(local, split)
        assert np.array_equal(ours.first, theirs.first) and np.array_equal(ours.second, theirs.second)
        assert (ours.label is None) == (theirs.label is None)
        if ours.label is not None and theirs.label is not None:
            assert np.array_equal(ours.label, theirs.label)
    assert hub.items["text"].texts == local.items["text"].texts
    np.testing.assert_array_equal(hub.items["image"].groups, local.items["image"].groups)
    images, files = hub.items["image"].images, local.items["image"].images
    assert images.names == files.names and len(images) == len(files)
    # All of them: some are grey, CMYK, RGBA, or JPEG called .png.
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(images, files, strict=True))


@pytest.mark.parametrize("form", ["flickr_one_split", "snli_texts"])
def test_the_forget_order_is_that_of_local_files(form, hubs, kept):
    from mmulbench.core.registry import TASKS

    name = hub_miniatures.FORMS[form][0]
    task = TASKS.get(name)()
    orders = [task.forget_order(load(name, kept, hub=hub), 42) for hub in ("", str(hubs[form]))]
    assert np.array_equal(orders[0], orders[1])


def test_images_on_a_hub_need_no_images_on_disk(hubs, tmp_path):
    assert len(load("flickr30k", tmp_path, hub=str(hubs["flickr_one_split"])).train.units) == 60
    assert len(load("nlvr2", tmp_path, hub=str(hubs["nlvr_list"])).train.units) == 60
    with pytest.raises(UsageError, match="coco needs the folder val2014 with the images"):
        load("coco", tmp_path, hub=str(hubs["coco_annotations"]))
    with pytest.raises(UsageError, match=r"snli_ve needs Flickr30K's dataset_flickr30k.json, for the order"):
        load("snli_ve", tmp_path, hub=str(hubs["snli_texts"]))


def test_limit(hubs, kept):
    few = load("nlvr2", kept, limit=7, hub=str(hubs["nlvr_list"]))
    assert (
        few.fingerprint == load("nlvr2", kept, limit=7).fingerprint and len(few.items["image"].images) == 42
    )


def test_loading_decodes_nothing_and_images_are_a_sequence(hubs, kept, monkeypatch):
    images = load("flickr30k", kept, hub=str(hubs["flickr_one_split"])).items["image"].images
    part = images[3:6]
    assert len(part) == 3 and np.array_equal(part[0], images[3])
    assert np.array_equal(images[-1], images[79])
    with pytest.raises(IndexError):
        images[80]
    monkeypatch.setattr("mmulbench.tasks._official.hub_rows.read_image", None)
    images = load("flickr30k", kept, hub=str(hubs["flickr_one_split"])).items["image"].images
    with pytest.raises(TypeError):
        images[0]


def test_changed_files_are_noticed(rows, tmp_path, library_cache):
    hub = flickr(tmp_path / "hub", rows)
    before = load("flickr30k", tmp_path, hub=hub).fingerprint
    rows[0]["caption"][0] = "another caption"
    flickr(tmp_path / "hub", rows)
    assert load("flickr30k", tmp_path, hub=hub).fingerprint != before
    assert any(library_cache.iterdir())


def other(content: bytes) -> bytes:
    """Other bytes of the same number."""
    return content[:-1] + bytes([content[-1] ^ 1])


def test_an_image_of_the_same_size_in_a_file_of_the_same_time_is_other_data(rows, tmp_path):
    hub = flickr(tmp_path / "hub", rows)
    (file,) = Path(hub).rglob("*.parquet")
    times, before = file.stat(), load("flickr30k", tmp_path, hub=hub)
    content = rows[0]["image"]["bytes"]
    rows[0]["image"]["bytes"] = other(content)
    flickr(tmp_path / "hub", rows)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = load("flickr30k", tmp_path, hub=hub)
    assert after.fingerprint != before.fingerprint
    number = after.items["image"].images.names.index(rows[0]["filename"])
    assert after.items["image"].images.stored[number].content() == other(content)


def test_two_images_of_one_name_and_size_are_refused(rows, tmp_path):
    image = {**rows[5]["image"], "bytes": other(rows[5]["image"]["bytes"])}
    hub = flickr(tmp_path / "hub", [*rows, {**rows[5], "image": image}])
    with pytest.raises(MmulbenchError, match=r"row 80: the image .* is not that of split test, row 5: keep"):
        load("flickr30k", tmp_path, hub=hub)


@pytest.mark.parametrize("form", [form for form, (name, _) in hub_miniatures.FORMS.items() if name != "coco"])
def test_images_are_read_once_to_be_known(form, hubs, kept, tmp_path, monkeypatch):
    now, name = time.time_ns, hub_miniatures.FORMS[form][0]
    monkeypatch.setattr("mmulbench.file_digests.time.time_ns", lambda: now() + 10**11)
    with ArtifactCache(tmp_path / "cache").hints():
        first = load(name, kept, hub=str(hubs[form]))
        monkeypatch.setattr(hub_rows, "_digest", None)
        monkeypatch.setattr(file_digests, "sha256_of", None)
        assert load(name, kept, hub=str(hubs[form])).fingerprint == first.fingerprint


def test_an_image_that_changes_in_the_librarys_cache_ends_the_command(hubs, kept, monkeypatch):
    images = load("flickr30k", kept, hub=str(hubs["flickr_one_split"])).items["image"].images
    monkeypatch.setattr(hub_rows.HubData, "content", lambda *_: b"other")
    with pytest.raises(ContentChanged, match=r"split test, row \d+, column image: it has changed since"):
        images[0]


def damaged(kind: str, content: bytes) -> bytes:
    if kind in ("bomb", "tiff"):
        file = io.BytesIO()
        side, form = {"bomb": (10_000, "PNG"), "tiff": (8, "TIFF")}[kind]
        Image.new("1", (side, side)).save(file, form)
        return file.getvalue()
    return {"half": content[: len(content) // 2], "empty": b"", "other": b"%!PS-Adobe-3.0\n"}[kind]


@pytest.mark.parametrize("kind", ["half", "empty", "other", "tiff", "bomb"])
def test_a_damaged_image_is_named(kind, rows, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("mmulbench.tasks._official.hub_rows.BATCH", 10)
    rows[25]["image"]["bytes"] = damaged(kind, rows[25]["image"]["bytes"])
    hub = flickr(tmp_path / "hub", rows)
    images = load("flickr30k", tmp_path, hub=hub).items["image"].images
    what = "refused as a decompression bomb" if kind == "bomb" else "cannot be decoded as an image"
    where = f"{hub}, split test, row 25, column image: {what}"
    with pytest.raises(MmulbenchError) as caught:
        images[images.names.index(rows[25]["filename"])]
    assert str(caught.value).startswith(where) and "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    code, out, _ = mmulbench(capsys, "data", "check", "flickr30k", "--hub", hub, "--data-dir", tmp_path)
    assert code == 1 and where in out


def test_a_path_is_never_followed(rows, kept, tmp_path):
    file = kept / "flickr30k" / "flickr30k-images" / rows[5]["filename"]
    rows[5]["image"] = {"bytes": None, "path": str(file)}
    plain = {"image": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}}
    hub = flickr(tmp_path / "hub", rows, **plain)
    assert file.is_file()
    command = re.escape(f"mmulbench data check flickr30k --data-dir {tmp_path} --hub {hub} lists them all")
    with pytest.raises(MmulbenchError, match=rf"{file.name} is missing \(1 of 80 images are\): {command}"):
        load("flickr30k", tmp_path, hub=hub)


def test_two_images_of_one_name_are_refused(rows, tmp_path):
    rows[7] |= {"filename": rows[5]["filename"], "split": rows[5]["split"]}
    hub = flickr(tmp_path / "hub", rows)
    expected = f"row 7: the image flickr30k-images/{rows[5]['filename']} is not that of split test, row 5"
    with pytest.raises(MmulbenchError, match=expected):
        load("flickr30k", tmp_path, hub=hub)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "tran"}, "split test, row 5: unknown split 'tran'; known: train, restval"),
        ({"split": "test"}, "row 80: .* is in the split test, but in train at .*, split test, row 5: keep"),
        ({"filename": "../../x.jpg"}, "row 5: the file name '../../x.jpg' leads out of the data folder"),
        ({"filename": None}, "row 5: the field 'image' must be text, not NoneType"),
        ({"caption": None}, "row 5: the field 'caption' must be text, not NoneType"),
        ({"caption": [None]}, "row 5: the field 'caption' must be text, not NoneType"),
    ],
)
def test_damaged_and_hostile_rows(change, message, rows, tmp_path):
    if change == {"split": "test"}:
        rows.append({**rows[5], "split": "test"})
    else:
        rows[5] |= change
    with pytest.raises(MmulbenchError, match=message) as caught:
        load("flickr30k", tmp_path, hub=flickr(tmp_path / "hub", rows))
    assert caught.value.exit_code == 1 and "\n" not in str(caught.value)


def test_an_image_without_a_name(rows, tmp_path):
    for row in rows:
        del row["filename"]
    rows[5]["image"]["path"] = None
    with pytest.raises(MmulbenchError, match="row 5: the image has no file name"):
        load("flickr30k", tmp_path, hub=flickr(tmp_path / "hub", rows))


def test_images_without_any_names(rows, tmp_path):
    for row in rows:
        del row["filename"], row["image"]["path"]
    plain = {"image": {"bytes": datasets.Value("binary")}}
    expected = (
        "the images have no file names: neither a path beside their bytes, nor a column filename or file"
    )
    with pytest.raises(UsageError, match=expected):
        load("flickr30k", tmp_path, hub=flickr(tmp_path / "hub", rows, **plain))


def test_file_names_of_windows(rows, kept, tmp_path):
    for row in rows:
        row["image"]["path"] = f"C:\\images\\{row.pop('filename')}"
    hub = flickr(tmp_path / "hub", rows)
    assert load("flickr30k", tmp_path, hub=hub).fingerprint == load("flickr30k", kept).fingerprint


@pytest.mark.parametrize(
    ("name", "form", "key", "value", "message"),
    [
        ("snli_ve", "snli", "gold_label", "maybe", "row 3: unknown gold_label 'maybe'; known: entailment"),
        ("nlvr2", "nlvr", "label", "1", "row 3: unknown label '1'; known: True and False"),
        ("nlvr2", "nlvr", "label", None, "row 3: unknown label '-'; known: True and False"),
        ("nlvr2", "nlvr", "identifier", "../0-0-1", "row 3: identifier '../0-0-1' is not like train-1"),
        ("nlvr2", "nlvr", "images", [], "the column images holds lists of other than 2 images"),
    ],
)
def test_damaged_rows_with_labels(name, form, key, value, message, kept, tmp_path):
    splits = getattr(hub_miniatures, f"{form}_rows")(kept)
    splits["train"][3][key] = value
    image = datasets.Image()
    features = {"images": datasets.List(image)} if form == "nlvr" else {"image": image}
    hub = hub_miniatures.save(tmp_path / "hub", splits, **features)
    with pytest.raises(MmulbenchError, match=message) as caught:
        load(name, kept, hub=str(hub))
    assert f"{hub}, split train" in str(caught.value)


def test_a_label_of_none_is_dropped(kept, tmp_path):
    splits = hub_miniatures.snli_rows(kept)
    before = load("snli_ve", kept)
    for row in (row for rows in splits.values() for row in rows):
        row["gold_label"] = None if row["gold_label"] == "-" else row["gold_label"]
    hub = hub_miniatures.save(tmp_path / "hub", splits, image=datasets.Image())
    assert load("snli_ve", kept, hub=str(hub)).fingerprint == before.fingerprint


@pytest.mark.parametrize(
    ("drop", "add", "message"),
    [
        ("caption", {}, "has no column caption or captions or sentences or raw; its columns are: .*sentids"),
        ("split", {}, "has no split train or restval, and no column split; its splits are: test"),
        ("image", {"image": "x.jpg"}, "the column image holds string, not images"),
    ],
)
def test_columns_that_do_not_fit(drop, add, message, rows, tmp_path):
    rows = [{key: value for key, value in row.items() if key != drop} | add for row in rows]
    features = {"image": datasets.Value("string")} if drop == "image" else {}
    with pytest.raises(MmulbenchError, match=message) as caught:
        load("flickr30k", tmp_path, hub=flickr(tmp_path / "hub", rows, **features))
    assert caught.value.exit_code == (1 if drop == "image" else 2)


def test_two_splits_of_one_meaning(rows, tmp_path):
    rows = [{key: row[key] for key in ("image", "caption", "filename")} for row in rows]
    splits = {"train": rows[:60], "val": rows[60:65], "dev": rows[65:70], "test": rows[70:]}
    hub = hub_miniatures.save(tmp_path / "hub", splits, image=datasets.Image())
    with pytest.raises(UsageError, match=r"has several validation splits: .*\bval\b"):
        load("flickr30k", tmp_path, hub=str(hub))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["flickr_one_split", "nlvr_sides"])
def test_runs_from_a_hub_to_a_record(form, hubs, kept, tmp_path, capsys):
    name = hub_miniatures.FORMS[form][0]
    words = ["-m", "mmul", "-t", name, "-b", "albef:tiny", "--data-dir", tmp_path, "--device", "cpu"]
    words += ["--set", f"task.hub={hubs[form]}", "--set", "recipe.epochs=1", "--set", "epochs=1", "--json"]
    places = ["--results-dir", tmp_path / "results", "--cache-dir", tmp_path / "cache", "--no-reference"]
    code, out, err = mmulbench(capsys, "run", *words, *places)
    assert code == 0, err
    record = json.loads(out)[0]
    assert record["spec"]["data_fingerprint"] == load(name, kept).fingerprint
    assert record["spec"]["task_config"]["hub"] == str(hubs[form])


def test_data_check_and_info(hubs, kept, tmp_path, capsys):
    hub = hubs["flickr_one_split"]
    words = ["data", "check", "flickr30k", "--data-dir", tmp_path]
    code, out, _ = mmulbench(capsys, *words, "--hub", hub, "--json")
    found = json.loads(out)
    assert code == 1 and found["splits"]["train"]["units"] == 60 and found["hub"] == str(hub)
    assert found["problems"] == [] and len(found["short"]) == 6
    code, out, _ = mmulbench(capsys, *words, "--hub", hub)
    assert code == 1 and f"flickr30k in {hub}" in out
    code, _, err = mmulbench(capsys, "data", "check", "emoji", "--hub", hub)
    assert code == 2 and "--set task.hub: task has no such setting" in err
    code, out, _ = mmulbench(capsys, "data", "info", "flickr30k")
    assert code == 0 and "Or from a hub, with --set task.hub=NAME" in out and "not tried here" in out
