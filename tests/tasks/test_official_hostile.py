"""Damaged and hostile files of the official data sets are refused in one line, nothing executed."""

from __future__ import annotations

import os
import pickle
import shutil
import struct
import zlib
from pathlib import Path

import miniatures
import pytest
from official_data import FIRST, edit, first_image, karpathy, load, mmulbench, nlvr, paths_of, snli

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.file_digests import Stamp
from mmulbench.tasks._official.images import ImageFile
from mmulbench.tasks._official.json_files import LINE_BYTES
from mmulbench.tasks._official.pair_table import PairTable

NAMES = sorted(miniatures.WRITERS)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


DEV = miniatures.flickr_names()["train"][0].removesuffix(".jpg")


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "message"),
    [
        (
            "flickr30k",
            karpathy,
            f'"{FIRST}"',
            '"../../x.jpg"',
            r"images\[0\]: the file name '../../x.jpg' leads out",
        ),
        ("flickr30k", karpathy, f'"{FIRST}"', '"/etc/x.jpg"', r"the file name '/etc/x.jpg' leads out"),
        ("flickr30k", karpathy, f'"{FIRST}"', r'"..\\x.jpg"', "leads out of the data folder: refused"),
        ("flickr30k", karpathy, f'"{FIRST}"', r'"C:\\x.jpg"', "leads out of the data folder: refused"),
        ("flickr30k", karpathy, f'"{FIRST}"', r'"\\\\x\\y.jpg"', "leads out of the data folder: refused"),
        (
            "flickr30k",
            karpathy,
            f'"{FIRST}"',
            r'"x\u0000.jpg"',
            "holds a sign that no file name may: refused",
        ),
        ("flickr30k", karpathy, f'"{FIRST}"', r'"x\r\ny.jpg"', "holds a sign that no file name may: refused"),
        (
            "flickr30k",
            karpathy,
            f'"{FIRST}"',
            "7",
            r"images\[0\]: the field 'filename' must be text, not int",
        ),
        ("flickr30k", karpathy, f'"{FIRST}"', r'"\ud800.jpg"', "holds a sign that no file name may: refused"),
        ("flickr30k", karpathy, '"filename"', '"name"', r"images\[0\]: the field 'filename' is missing"),
        (
            "flickr30k",
            karpathy,
            '"split": "train"',
            '"split": "tran"',
            "unknown split 'tran'; known: train, rest",
        ),
        ("flickr30k", karpathy, '"images": [', '"images": 5, "x": [', "images must be a list, not int"),
        (
            "flickr30k",
            karpathy,
            '"images": [',
            '"images": [3, ',
            r"images\[0\]: a JSON object is needed, not int",
        ),
        ("flickr30k", karpathy, '"images": [', '"images": [\n!', r"json:2: not valid JSON: .*, column 1"),
        ("flickr30k", karpathy, '"images": [', '"images": [' + 200_000 * "[", "not valid JSON: "),
        ("snli_ve", snli, DEV, "../../x", "dev.jsonl:1: the file name '../../x.jpg' leads out"),
        (
            "snli_ve",
            snli,
            '"gold_label": "neutral"',
            '"gold_label": "maybe"',
            "dev.jsonl:2: unknown gold_label 'maybe'; known: entailment, n",
        ),
        ("snli_ve", snli, '"gold_label"', '"label"', "dev.jsonl:1: the field 'gold_label' is missing"),
        ("snli_ve", snli, "{", "", "dev.jsonl:1: not valid JSON"),
        ("snli_ve", snli, "{", '{"sentence2": "x", ', "dev.jsonl:1: .* the field 'sentence2' is there twice"),
        ("snli_ve", snli, "{", "[]\n{", "dev.jsonl:1: a JSON object is needed, not list"),
        ("snli_ve", snli, "a caption", LINE_BYTES * "a", "dev.jsonl:1: a line of more than 1,000,000 bytes"),
        (
            "nlvr2",
            nlvr,
            "dev-0-0-1",
            "../0-0-1",
            "dev.json:2: identifier '../0-0-1' is not like train-10171-0-0",
        ),
        (
            "nlvr2",
            nlvr,
            '"True", "synset"',
            '"yes", "synset"',
            "dev.json:1: unknown label 'yes'; known: True and",
        ),
        (
            "nlvr2",
            nlvr,
            "dev-0-0-0",
            "train-0-0-0",
            "dev.json:1: train-0-0-img0.png is in the split validation, ",
        ),
    ],
)
def test_damaged_and_hostile_annotations(name, file, old, new, message, own):
    edit(file(own), old, new)
    with pytest.raises(MmulbenchError, match=message) as caught:
        load(name, own)
    assert caught.value.exit_code == 1 and str(own / name) in str(caught.value)
    assert "\n" not in str(caught.value)


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize(("name", "file"), [("flickr30k", karpathy), ("snli_ve", snli), ("nlvr2", nlvr)])
def test_a_pickle_is_refused_and_nothing_executed(name, file, protocol, own):
    file(own).write_bytes(pickle.dumps(Bomb(own / "executed"), protocol))
    with pytest.raises(MmulbenchError, match=f"{file(own)}:1: (this is a pickle, not JSON|not valid JSON)"):
        load(name, own)
    assert not (own / "executed").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04" + bytes(99), ":1: this is a zip archive, as torch.save writes, not JSON: refused"),
        (b"\x1f\x8b" + bytes(99), ":1: this is compressed with gzip, not JSON"),
        (POINTER, ":1: this is a Git LFS pointer, which stands for the file itself: run git lfs pull"),
        (b'{"a": "\xff"}', ": not UTF-8 text"),
        (b"", "the annotations hold no pairs of the split validation|not valid JSON"),
    ],
)
@pytest.mark.parametrize(("name", "file"), [("flickr30k", karpathy), ("snli_ve", snli)])
def test_other_contents_are_refused(name, file, content, message, own):
    file(own).write_bytes(content)
    with pytest.raises(MmulbenchError, match=message):
        load(name, own)


def test_an_annotation_file_that_is_a_folder(own):
    karpathy(own).unlink()
    karpathy(own).mkdir()
    with pytest.raises(UsageError, match=r"flickr30k needs dataset_flickr30k.json or flickr30k_train.json"):
        load("flickr30k", own)


def png(width: int, height: int) -> bytes:
    """A PNG file that says it is large and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused(side, own):
    first_image(own).write_bytes(png(side, side))
    images = load("flickr30k", own).items["image"].images
    with pytest.raises(MmulbenchError, match=f"{FIRST}: refused as a decompression bomb"):
        images[images.names.index(FIRST)]


@pytest.mark.parametrize("content", [b"", b"no image", b"%!PS-Adobe-3.0\n%%BoundingBox: 0 0 9 9\n", "half"])
def test_a_corrupt_image_is_named(content, own):
    path = first_image(own)
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half if content == "half" else content)
    with pytest.raises(MmulbenchError, match=f"{path}: cannot be decoded as an image") as caught:
        ImageFile(path, Stamp.of(path.stat())).read()
    assert "\n" not in str(caught.value)


def test_images_that_are_git_lfs_pointers_are_named_before_any_is_decoded(own, capsys):
    paths = paths_of(load("flickr30k", own))[:3]
    for path in paths:
        path.write_bytes(POINTER)
    expected = (
        rf"{paths[0]} is a Git LFS pointer \(run git lfs pull\) \(3 of 80 images are\): mmulbench data check"
    )
    with pytest.raises(MmulbenchError, match=expected):
        load("flickr30k", own)
    code, out, _ = mmulbench(capsys, "data", "check", "flickr30k", "--data-dir", own)
    assert code == 1 and out.count("it is a Git LFS pointer") == 3


def test_a_link_out_of_the_images_is_refused(own, tmp_path):
    outside = tmp_path / "outside.jpg"
    shutil.move(first_image(own), outside)
    first_image(own).symlink_to(outside)
    with pytest.raises(MmulbenchError, match=f"{FIRST}: this link leads out of .*flickr30k-images: refused"):
        load("flickr30k", own)


def test_links_that_the_user_needs_are_followed(own, tmp_path):
    before = load("flickr30k", own)
    images = own / "flickr30k" / "flickr30k-images"
    shutil.move(images, tmp_path / "disk")
    images.symlink_to(tmp_path / "disk")
    first_image(own).rename(images / "real.jpg")
    first_image(own).symlink_to("real.jpg")
    assert load("flickr30k", own).fingerprint == before.fingerprint


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path.name)])
def test_what_is_no_file_is_no_image(make, own):
    first_image(own).unlink()
    make(first_image(own))
    with pytest.raises(MmulbenchError, match=r"is missing \(1 of 80 images are\)"):
        load("flickr30k", own)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_image_is_named(name, own):
    file = paths_of(load(name, own))[5]
    file.unlink()
    with pytest.raises(
        MmulbenchError, match=rf"{file.name} is missing \(1 of \d+ images are\): mmulb"
    ) as caught:
        load(name, own)
    assert caught.value.exit_code == 1
    assert f"mmulbench data check {name} --data-dir {own}" in str(caught.value)


def test_a_table_without_pairs_of_a_split():
    table = PairTable()
    table.add("train", ("a",), "text", "here")
    table.add("test", ("b",), "&nbsp; ", "here")
    with pytest.raises(MmulbenchError, match="no pairs of the split validation"):
        table.build(labelled=False)
    assert table.dropped == {"empty text": 1}


def test_a_corrupt_image_ends_a_run_in_one_line(own, tmp_path, capsys):
    first_image(own).write_bytes(b"no image")
    words = ["-m", "mmul", "-t", "flickr30k", "-b", "albef:tiny", "--data-dir", own, "--quiet"]
    places = ["--results-dir", tmp_path / "results", "--cache-dir", tmp_path / "cache"]
    code, _, err = mmulbench(capsys, "run", *words, *places)
    assert (
        code == 1
        and err
        == f"mmulbench: {first_image(own)}: cannot be decoded as an image: " + err.partition("image: ")[2]
    )
    assert err.count("\n") == 1
