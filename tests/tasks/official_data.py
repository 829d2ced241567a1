"""Reading and spoiling the miniatures of the official data sets."""

from __future__ import annotations

from pathlib import Path

import miniatures

from mmulbench import cli
from mmulbench.progress import Progress
from mmulbench.registry import TASKS
from mmulbench.task import TaskData


def load(name: str, root: Path, **config) -> TaskData:
    cls = TASKS.get(name)
    return cls(cls.Config(**config)).load(root, Progress())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def mmulbench(capsys, *words: object) -> tuple[int, str, str]:
    code = cli.main([str(word) for word in words])
    out = capsys.readouterr()
    return code, out.out, out.err


def karpathy(root: Path) -> Path:
    return root / "flickr30k" / "dataset_flickr30k.json"


def snli(root: Path) -> Path:
    return root / "snli_ve" / "snli_ve_dev.jsonl"


def nlvr(root: Path) -> Path:
    return root / "nlvr2" / "dev.json"


FIRST = miniatures.flickr_names()["train"][0]


def first_image(root: Path) -> Path:
    return root / "flickr30k" / "flickr30k-images" / FIRST
