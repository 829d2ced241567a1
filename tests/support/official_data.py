"""Reading and spoiling the miniatures of the official data sets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import miniatures
from PIL import Image

from mmulbench.cli import app
from mmulbench.core.registry import TASKS
from mmulbench.core.task import TaskData
from mmulbench.progress import Progress


def load(name: str, root: Path, **config) -> TaskData:
    cls = TASKS.get(name)
    return cls(cls.Config(**config)).load(root, Progress())


def paths_of(data: TaskData) -> list[Path]:
    """Paths of the image files, in the order of the images."""
    return [image.path for image in data.items["image"].images.stored]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def repaint_one(data: TaskData) -> int:
    """Put another picture in the place of one, of the same size in bytes, and with its time of change.

    Return its number.
    """
    paths = paths_of(data)
    path = max(paths, key=lambda path: path.stat().st_size)
    before = path.stat()
    Image.new("L", (8, 8), 90).save(path, "JPEG")
    content = path.read_bytes().removesuffix(b"\xff\xd9")
    path.write_bytes(content + b"\0" * (before.st_size - len(content) - 2) + b"\xff\xd9")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    return paths.index(path)


def mmulbench(capsys, *words: object) -> tuple[int, str, str]:
    code = app.main([str(word) for word in words])
    out = capsys.readouterr()
    return code, out.out, out.err


def quick_records(capsys, task: str, backbone: str, data: Path, place: Path) -> list[dict[str, Any]]:
    """The records of mmul and retrain, of an epoch each, that the command line makes of a folder of data."""
    words = ["-m", "mmul", "-m", "retrain", "-t", task, "-b", backbone, "--data-dir", data, "--device", "cpu"]
    words += ["--set", "recipe.epochs=1", "--set", "mmul.epochs=1", "--json"]
    places = ["--results-dir", place / "results", "--cache-dir", place / "cache"]
    code, out, err = mmulbench(capsys, "run", *words, *places)
    assert code == 0, err
    records: list[dict[str, Any]] = json.loads(out)
    assert [record["spec"]["method"] for record in records] == ["mmul", "retrain"]
    assert [record["status"] for record in records] == ["done", "done"]
    assert {record["spec"]["data_fingerprint"] for record in records} == {load(task, data).fingerprint}
    return records


def karpathy(root: Path) -> Path:
    return root / "flickr30k" / "dataset_flickr30k.json"


def snli(root: Path) -> Path:
    return root / "snli_ve" / "snli_ve_dev.jsonl"


def nlvr(root: Path) -> Path:
    return root / "nlvr2" / "dev.json"


FIRST = miniatures.flickr_names()["train"][0]


def first_image(root: Path) -> Path:
    return root / "flickr30k" / "flickr30k-images" / FIRST
