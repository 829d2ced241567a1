"""Retrieve images by their captions: a folder of images with a table."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from mmulbench import (
    TASKS,
    Progress,
    RawItems,
    Recipe,
    Split,
    Task,
    TaskData,
    UsageError,
    csv_quoting,
    fingerprint,
    read_image,
)

SPLITS = ("train", "validation", "test")


@TASKS.register("my_task")
class MyTask(Task):
    """Asks which captions belong to which image; the forget unit is an image with all its captions."""

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    recipe = Recipe(epochs=30)

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read ``my_task/captions.tsv`` and the images it names, all in ``data_dir``.

        Raises:
            UsageError: if the table is not there, or a line is wrong.
        """
        table = data_dir / "my_task" / "captions.tsv"
        if not table.is_file():
            raise UsageError(f"my_task needs {table}: tab-separated image, caption, split")
        rows = _rows(table)
        names = sorted({row["image"] for row in rows})
        texts = sorted({row["caption"] for row in rows})
        images = np.stack(
            [
                np.asarray(Image.fromarray(read_image(table.parent / name)).resize((128, 128)))
                for name in progress.track(names, len(names), "read images")
            ]
        )
        image_of = {name: index for index, name in enumerate(names)}
        text_of = {text: index for index, text in enumerate(texts)}

        def split(part: str) -> Split:
            pairs = [(image_of[r["image"]], text_of[r["caption"]]) for r in rows if r["split"] == part]
            return Split(*np.array(pairs, dtype=np.int64).reshape(-1, 2).T)

        return TaskData(
            items={"image": RawItems(images=images), "text": RawItems(texts=texts)},
            train=split("train"),
            validation=split("validation"),
            test=split("test"),
            fingerprint=fingerprint([rows, hashlib.sha256(images.tobytes()).hexdigest()]),
        )


def _rows(table: Path) -> list[dict[str, str]]:
    """Read every line; quotation marks are text, unless the whole table is quoted as CSV.

    Raises:
        UsageError: if a line lacks image or caption, has more columns than the first, or names no split.
    """
    text = table.read_text(encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv_quoting(text.split("\n")))
    rows = []
    for row in reader:
        if None in row or not (row.get("image") and row.get("caption") and row.get("split") in SPLITS):
            raise UsageError(f"{table}:{reader.line_num}: needs image, caption and split (one of {SPLITS})")
        rows.append(row)
    return rows
