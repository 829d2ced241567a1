"""Retrieve images by their captions: a folder of images with a table."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from mmulbench import TASKS, Progress, RawItems, Recipe, Split, Task, TaskData, UsageError, fingerprint


@TASKS.register("my_task")
class MyTask(Task):
    """Asks which captions belong to which image; the forget unit is an image with all its captions."""

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    recipe = Recipe(epochs=30)

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read ``my_task/captions.tsv`` and the images it names, all in ``data_dir``.

        Raises:
            UsageError: if the table is not there.
        """
        table = data_dir / "my_task" / "captions.tsv"
        if not table.is_file():
            raise UsageError(f"my_task needs {table}: tab-separated image, caption, split")
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        names = sorted({row["image"] for row in rows})
        texts = sorted({row["caption"] for row in rows})
        images = np.stack(
            [
                np.asarray(Image.open(table.parent / name).convert("RGB").resize((128, 128)))
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
