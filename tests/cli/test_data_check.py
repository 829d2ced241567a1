"""What a user is told when data is missing, and `mmulbench data`."""

from __future__ import annotations

import json
import shutil

import miniatures
import pytest
from official_data import load, mmulbench

from mmulbench.cli.data_check import _print_report
from mmulbench.core.data_info import DataInfo, DataReport
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError

NAMES = sorted(miniatures.WRITERS)


@pytest.mark.parametrize("name", NAMES)
def test_no_data(name, tmp_path, capsys):
    words = ["-m", "mmul", "-t", name, "--data-dir", tmp_path / "data", "--cache-dir", tmp_path / "c"]
    code, out, err = mmulbench(capsys, "run", *words, "--results-dir", tmp_path / "r", "--quiet")
    assert code == 2 and not out and err.count("\n") == 1
    needed = {"snli_ve": "snli_ve_train.jsonl", "nlvr2": "train.json"}.get(name, f"dataset_{name}.json")
    assert f"{name} needs {needed}" in err
    assert f"looked for in {tmp_path / 'data' / name} (--data-dir or MMULBENCH_DATA" in err
    assert "https://" in err and f"mmulbench data info {name}" in err
    assert "mmulbench run --method mmul --task emoji" in err


@pytest.mark.parametrize(
    ("name", "gone", "message"),
    [
        (
            "flickr30k",
            "flickr30k/flickr30k-images",
            "flickr30k needs the folder flickr30k-images with the images",
        ),
        ("coco", "coco/val2014", "coco needs the folder val2014 with the images"),
        ("nlvr2", "nlvr2/images", "nlvr2 needs the folder images with the images"),
        ("nlvr2", "nlvr2/test1.json", "nlvr2 needs test1.json or test1.jsonl"),
        ("snli_ve", "snli_ve/snli_ve_dev.jsonl", "snli_ve needs snli_ve_dev.jsonl"),
        (
            "snli_ve",
            "flickr30k/dataset_flickr30k.json",
            "snli_ve needs Flickr30K's dataset_flickr30k.json, for the",
        ),
        (
            "snli_ve",
            "flickr30k/flickr30k-images",
            "snli_ve needs the folder flickr30k-images with the images",
        ),
    ],
)
def test_part_of_the_data_is_not_there(name, gone, message, own):
    path = own / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UsageError, match=message):
        load(name, own)


@pytest.mark.parametrize("name", [*NAMES, "emoji"])
def test_data_info(name, capsys):
    info = TASKS.get(name).info
    code, out, _ = mmulbench(capsys, "data", "info", name)
    assert code == 0
    for part in (info.about, info.terms, info.source, *info.layout):
        assert part in out
    assert f"{info.sizes['train'][1]:,}" in out
    code, out, _ = mmulbench(capsys, "data", "info", name, "--json")
    found = json.loads(out)
    assert code == 0 and found["task"] == name and found["layout"] == list(info.layout)
    assert found["sizes"]["train"] == list(info.sizes["train"])


def test_published_sizes():
    sizes = {name: TASKS.get(name).info.sizes for name in NAMES}
    assert list(sizes["flickr30k"].values()) == [
        (29_000, 145_000),
        (1_014, 5_070),
        (1_000, 5_000),
    ]
    assert [pairs for _, pairs in sizes["snli_ve"].values()] == [529_527, 17_858, 17_901]
    assert [pairs for _, pairs in sizes["nlvr2"].values()] == [86_373, 6_982, 6_967]


@pytest.fixture
def expects_the_miniature(monkeypatch):
    """As if the official data were as small as its miniature."""

    def expect(name: str, train: tuple[int, int]) -> DataInfo:
        info = TASKS.get(name).info
        small = DataInfo(**{**vars(info), "sizes": {"train": train}})
        monkeypatch.setattr(TASKS.get(name), "info", small)
        return small

    return expect


@pytest.mark.parametrize(
    ("name", "rows"), [("flickr30k", 300), ("coco", 300), ("snli_ve", 182), ("nlvr2", 121)]
)
def test_data_check_of_all_that_there_should_be(name, rows, kept, capsys, expects_the_miniature):
    expects_the_miniature(name, (60, rows))
    code, out, err = mmulbench(capsys, "data", "check", name, "--data-dir", kept)
    assert code == 0, err
    assert "All is there." in out and str(kept) in out and "A sample" in out
    code, out, _ = mmulbench(capsys, "data", "check", name, "--data-dir", kept, "--json")
    found = json.loads(out)
    assert code == 0 and found["complete"] and found["problems"] == found["short"] == []
    assert found["splits"]["train"] == {
        "units": 60,
        "pairs": rows,
        "expected_units": 60,
        "expected_pairs": rows,
    }
    assert len(found["sample"]) == 3


def test_data_check_of_too_little(kept, capsys):
    code, out, _ = mmulbench(capsys, "data", "check", "snli_ve", "--data-dir", kept)
    assert code == 1
    for line in (
        "train: 60 of 29,783 images",
        "train: 182 of 529,527 hypotheses",
        "80 hypotheses: no gold label",
    ):
        assert line in out
    assert "Not complete" in out


@pytest.mark.parametrize(("name", "rows"), [("flickr30k", 300), ("nlvr2", 121)])
def test_data_check_lists_every_missing_and_damaged_image(name, rows, own, capsys, expects_the_miniature):
    expects_the_miniature(name, (60, rows))
    images = load(name, own).items["image"].images
    files = [stored.path for stored in images.stored]
    for file in files[2:5]:
        file.unlink()
    for file in files[8:10]:
        file.write_bytes(b"no image")
    files[11].unlink()
    files[11].symlink_to("/etc/hostname")
    code, out, _ = mmulbench(capsys, "data", "check", name, "--data-dir", own)
    assert code == 1
    for file in files[2:5]:
        assert any(f"/{file.name}: missing" in line for line in out.splitlines())
    for file in files[8:10]:
        assert f"{file}: cannot be decoded as an image" in out
    assert f"{files[11]}: this link leads out of" in out
    assert "6 lines above" in out
    code, out, _ = mmulbench(capsys, "data", "check", name, "--data-dir", own, "--json")
    assert code == 1 and not json.loads(out)["complete"] and len(json.loads(out)["problems"]) == 6


@pytest.mark.slow
def test_data_check_of_emoji(capsys):
    code, out, _ = mmulbench(capsys, "data", "check", "emoji")
    assert code == 0 and "All is there." in out and "11,740" in out


@pytest.mark.parametrize("what", ["info", "check"])
def test_data_of_an_unknown_task_and_of_one_that_says_nothing(what, capsys, monkeypatch):
    code, _, err = mmulbench(capsys, "data", what, "flickr")
    assert code == 2 and "unknown task 'flickr'; did you mean flickr30k?" in err
    monkeypatch.setattr(TASKS.get("emoji"), "info", None)
    code, _, err = mmulbench(capsys, "data", what, "emoji")
    assert code == 2 and "task emoji says nothing about its data" in err


def test_data_check_without_data(tmp_path, capsys):
    code, _, err = mmulbench(capsys, "data", "check", "coco", "--data-dir", tmp_path)
    assert code == 2 and "coco needs dataset_coco.json or coco_karpathy_train.json or coco_train.json" in err


def test_captions_move_no_cursor(capsys):
    info = TASKS.get("coco").info
    assert info is not None
    report = DataReport(counts={}, sample=("a dog \x1b[2J [b]",), problems=("x\ny.jpg is damaged",))
    _print_report("coco", "here", info, report, [])
    out = capsys.readouterr().out
    assert "a dog \\x1b[2J [b]\n" in out
    assert "x\\ny.jpg is damaged\n" in out
