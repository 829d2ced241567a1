"""Tables of one's own, a few dozen tiny images large, as the data folder has them where none is named."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from miniatures import KINDS, PLACES, TEST, TRAIN, VALIDATION, write_picture

from mmulbench.core.registry import TASKS
from mmulbench.core.task import Task

IMAGES = TRAIN + VALIDATION + TEST
PER_PERSON = 4
"""Number of images of a person."""

ANSWERS = ("yes", "no", "unsure")


def task_of(name: str, **settings: Any) -> Task:
    """A task with settings."""
    cls = TASKS.get(name)
    return cls(cls.Config(**settings))


def write_all(root: Path) -> Path:
    """Both tables."""
    for write in WRITERS.values():
        write(root)
    return root


def split_of(number: int) -> str:
    return "train" if number < TRAIN else "val" if number < TRAIN + VALIDATION else "test"


def pair_rows() -> list[dict[str, str]]:
    """Two texts an image, one of which other images have too; a person is in four images, of one split."""
    rows = []
    for number in range(IMAGES):
        kind, place = KINDS[number % len(KINDS)], PLACES[number % len(PLACES)]
        for text in (f"{kind} {place}, picture {number}", f"{kind} {place}"):
            person = f"p{number // PER_PERSON}" if number < TRAIN else f"{split_of(number)}{number % 3}"
            rows.append({"image": name_of(number), "text": text, "person": person, "split": split_of(number)})
    return rows


def labelled_rows() -> list[dict[str, str]]:
    """Three statements an image, one for each answer."""
    return [
        {
            "image": name_of(number),
            "statement": f"{KINDS[(number + place) % len(KINDS)]} is {answer}, {number % 7}",
            "label": answer,
            "split": split_of(number),
        }
        for number in range(IMAGES)
        for place, answer in enumerate(ANSWERS)
    ]


def name_of(number: int) -> str:
    return f"images/{number:03d}{'.png' if number % 3 else '.jpg'}"


def write_pictures(folder: Path) -> None:
    for number in range(IMAGES):
        write_picture(folder / name_of(number), number)


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_pairs(root: Path) -> None:
    write_pictures(root / "pairs")
    write_csv(root / "pairs" / "table.csv", pair_rows())


def write_labelled(root: Path) -> None:
    write_pictures(root / "labelled")
    write_csv(root / "labelled" / "table.csv", labelled_rows())


WRITERS: dict[str, Callable[[Path], None]] = {"pairs": write_pairs, "labelled": write_labelled}
