"""Pairs of one's own: tables of any form up to a record, and pictures of any form as they should look."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from miniatures import write_lines
from official_data import load, mmulbench
from PIL import Image
from pyarrow import parquet
from table_miniatures import pair_rows, write_csv

from mmulbench.core.registry import TASKS


def as_csv(folder: Path) -> Path:
    return write_csv(folder / "t.csv", pair_rows())


def as_latin(folder: Path) -> Path:
    text = (folder / "table.csv").read_text().replace("a boat", "a b\u00f4at")
    path = folder / "t.csv"
    path.write_text(text, encoding="cp1252")
    return path


def as_lines(folder: Path) -> Path:
    write_lines(folder / "t.jsonl", pair_rows())
    return folder / "t.jsonl"


def as_tsv(folder: Path) -> Path:
    rows = pair_rows()
    lines = ["\t".join(cells) for cells in (rows[0], *(row.values() for row in rows))]
    (folder / "t.tsv").write_text("\r\n".join(lines), encoding="utf-16")
    return folder / "t.tsv"


def as_parquet(folder: Path) -> Path:
    parquet.write_table(pa.Table.from_pylist(pair_rows()), folder / "t.parquet")
    return folder / "t.parquet"


def as_folder(folder: Path) -> Path:
    rows = [{"file_name": row["image"], **row} for row in pair_rows()]
    write_csv(folder / "metadata.csv", [{key: row[key] for key in row if key != "image"} for row in rows])
    return folder


@pytest.mark.parametrize("form", [as_csv, as_lines, as_tsv, as_parquet, as_folder])
def test_every_form_of_a_table_gives_the_same_data(form: Callable[[Path], Path], own):
    table = form(own / "pairs")
    assert load("pairs", own, table=str(table)).fingerprint == load("pairs", own).fingerprint


def test_an_encoding_that_is_said(own, capsys):
    table = as_latin(own / "pairs")
    words = ["data", "check", "pairs", "--set", f"task.table={table}"]
    code, _, err = mmulbench(capsys, *words)
    assert code == 1 and err.count("\n") == 1 and "t.csv:12: not UTF-8 text (byte 20): save it as" in err
    code, out, _ = mmulbench(capsys, *words, "--set", "task.encoding=cp1252")
    assert code == 0 and "a bôat" in out


RED, BLUE = (200, 30, 20), (10, 40, 220)


def two_colours(size: tuple[int, int] = (32, 16)) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def turned(image: Image.Image) -> tuple[Image.Image, dict[str, Any]]:
    """As a camera on its side stores it, with what turns it back."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return image.transpose(Image.Transpose.ROTATE_90), {"exif": exif}


def with_hole(image: Image.Image, mode: str) -> Image.Image:
    """The upper half transparent."""
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, image.width, image.height // 2))
    return Image.merge("RGBA", (*image.split(), alpha)).convert(mode)


def frames(image: Image.Image) -> dict[str, Any]:
    return {"save_all": True, "append_images": [Image.new("RGB", image.size, "white")]}


def deep(image: Image.Image) -> Image.Image:
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return Image.fromarray(grey)


def deep_png(image: Image.Image) -> bytes:
    """A PNG of three colours with 16 bits each, which Pillow reads but does not write."""
    pixels = np.asarray(image).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


TOLERANCE = {"jpeg": 12, "cmyk": 12, "turned": 12, "webp": 12}
"""Largest difference of a colour, where a form loses some."""

GREY = (round(0.299 * 200 + 0.587 * 30 + 0.114 * 20), round(0.299 * 10 + 0.587 * 40 + 0.114 * 220))


def write_forms(folder: Path) -> dict[str, str]:
    """A picture of each form; the names of the files by that of the form."""
    image = two_colours()
    lying, orientation = turned(image)
    palette = image.quantize(4)
    hole = with_hole(image, "RGBA").quantize(4)
    made: dict[str, tuple[str, Image.Image, str, dict[str, Any]]] = {
        "jpeg": ("a.jpg", image, "JPEG", {"quality": 95}),
        "cmyk": ("b.jpg", image.convert("CMYK"), "JPEG", {"quality": 95}),
        "turned": ("c.jpg", lying, "JPEG", {"quality": 95, **orientation}),
        "png": ("d.png", image, "PNG", {}),
        "palette": ("e.png", palette, "PNG", {}),
        "deep": ("f.png", deep(image), "PNG", {}),
        "hole": ("g.png", with_hole(image, "RGBA"), "PNG", {}),
        "hole in a palette": ("h.png", hole, "PNG", {}),
        "webp": ("i.webp", image, "WEBP", {"quality": 95}),
        "webp with a hole": ("j.webp", with_hole(image, "RGBA"), "WEBP", {"lossless": True}),
        "moving webp": ("k.webp", image, "WEBP", {"lossless": True, **frames(image)}),
        "moving gif": ("l.gif", image, "GIF", frames(image)),
        "bmp": ("m.bmp", image, "BMP", {}),
    }
    for name, picture, form, options in made.values():
        picture.save(folder / name, form, **options)
    (folder / "n.png").write_bytes(deep_png(image))
    return {"deep colours": "n.png", **{form: name for form, (name, *_) in made.items()}}


def test_pictures_of_all_forms_have_the_right_pixels(tmp_path):
    names = write_forms(tmp_path)
    splits = ["train"] * (len(names) - 2) + ["val", "test"]
    rows = [
        {"image": name, "text": form, "split": split}
        for (form, name), split in zip(names.items(), splits, strict=True)
    ]
    images = load("pairs", tmp_path, table=str(write_csv(tmp_path / "t.csv", rows))).items["image"].images
    found = {form: images[images.names.index(name)].astype(int) for form, name in names.items()}
    for form, pixels in found.items():
        assert pixels.shape == (16, 32, 3), form
        left, right = (GREY[0],) * 3 if form == "deep" else RED, (GREY[1],) * 3 if form == "deep" else BLUE
        spare = TOLERANCE.get(form, 1)
        for columns, colour in ((slice(1, 14), left), (slice(18, 31), right)):
            upper = (255, 255, 255) if "hole" in form else colour
            assert np.abs(pixels[9:15, columns] - colour).max() <= spare, form
            assert np.abs(pixels[1:7, columns] - upper).max() <= spare, form


def bad(folder: Path, **cells: str) -> str:
    """A table whose fourth row is wrong."""
    rows = pair_rows()
    rows[3] |= cells
    return str(write_csv(folder / "bad.csv", rows))


def check(capsys, *settings: str) -> tuple[int, str]:
    words = [word for setting in settings for word in ("--set", f"task.{setting}")]
    code, out, err = mmulbench(capsys, "data", "check", "pairs", *words)
    assert "Traceback" not in err and (code == 0 or not out)
    return code, err.splitlines()[-1]


@pytest.mark.parametrize(
    ("cells", "settings", "code", "message"),
    [
        ({}, ["image=xyz"], 2, "has no such column; its columns are: image, text, person, split"),
        ({}, ["unit=peson"], 2, "--set task.unit=peson: {table} has no such column; did you mean person?"),
        ({}, ["unit=person", "colour=red"], 2, "task has no such setting"),
        ({}, ["test_share=2"], 2, "validation_share and test_share must be above 0, and together below 1"),
        ({}, ["images=nowhere"], 2, "--set task.images=nowhere: there is no such folder"),
        ({"image": "../../secret.png"}, [], 1, "{table}:5: the file name '../../secret.png' leads out of"),
        ({"image": "/etc/passwd"}, [], 1, "{table}:5: the file name '/etc/passwd' leads out of"),
        ({"image": ""}, [], 1, "{table}:5: no picture in the column 'image'"),
        ({"split": "holdout"}, [], 1, "{table}:5: unknown split 'holdout'"),
        ({"split": ""}, [], 1, "{table}:5: unknown split ''"),
        (
            {"person": "p9"},
            ["unit=person"],
            1,
            "images/001.png is of the unit 'p9', but of 'p0' at {table}:4",
        ),
    ],
)
def test_bad_input_is_one_line(cells, settings, code, message, own, capsys):
    table = bad(own / "pairs", **cells)
    found, line = check(capsys, f"table={table}", *settings)
    assert found == code and message.format(table=table) in line


def test_the_check_says_it_as_json_too(kept, capsys):
    words = ["data", "check", "pairs", "--data-dir", kept, "--set", "task.unit=person"]
    code, out, err = mmulbench(capsys, *words, "--json")
    found = json.loads(out)
    assert code == 0 and found["complete"] and found["settings"] == ["task.unit=person"]
    assert {split: (one["units"], one["pairs"]) for split, one in found["splits"].items()} == {
        "train": (60, 120),
        "validation": (10, 20),
        "test": (10, 20),
    }
    assert len(found["sample"]) == 10 and "columns taken by their names" in err
    code, out, _ = mmulbench(capsys, *words)
    assert code == 0 and "expected" not in out and "All is there." in out and found["sample"][0] in out


def test_a_damaged_picture_is_named_by_the_check(own, capsys):
    (own / "pairs" / "images" / "001.png").write_bytes(b"no picture")
    code, out, _ = mmulbench(capsys, "data", "check", "pairs", "--data-dir", own)
    assert code == 1 and "001.png: cannot be decoded as an image" in out


@pytest.mark.slow
def test_a_record_of_units_of_several_pictures(kept, tmp_path, capsys):
    """The forget size counts units; the record holds a number for each of their pictures, and is valid."""
    words = ["run", "-m", "retrain", "-t", "pairs", "-b", "albef:tiny", "--data-dir", kept, "--device", "cpu"]
    words += ["--set", "task.unit=person", "--set", "recipe.epochs=1", "--forget-size", "3", "--json"]
    code, out, err = mmulbench(capsys, *words, "--results-dir", tmp_path / "r", "--cache-dir", tmp_path / "c")
    assert code == 0, err
    (record,) = json.loads(out)
    assert record["spec"]["forget_size"] == 3 and len(record["by_unit"]["pairs"]) == 12
    code, out, err = mmulbench(capsys, "validate", "--results-dir", tmp_path / "r")
    assert code == 0, out + err


def test_it_says_what_it_needs(capsys):
    assert TASKS.get("pairs").info is not None
    code, out, _ = mmulbench(capsys, "describe", "task", "pairs")
    assert code == 0 and "kind         retrieval" in out and "split_seed" in out
    code, out, _ = mmulbench(capsys, "data", "info", "pairs")
    assert code == 0 and "task.table=FILE" in out
