"""Tell whether a statement on two photographs is true, on NLVR2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mmulbench import TASKS, DataInfo, MmulbenchError, Recipe
from mmulbench.tasks._official.hub_rows import ColumnNames
from mmulbench.tasks._official.image_text_task import TURNED, ImageTextSource, ImageTextTask
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import PairTable, Unit

FILES = {
    "train": ("train.json", "train.jsonl"),
    "validation": ("dev.json", "dev.jsonl"),
    "test": ("test1.json", "test1.jsonl"),
}
"""Names that the official file may have, by split; test1 is test-P, the public test set."""

IDENTIFIER = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)+")
"""Identifier of a statement: that of its image pair, and a number."""


@TASKS.register("nlvr2")
class Nlvr2(ImageTextTask):
    """Asks whether a statement about a pair of photographs is true (Suhr et al. 2019).

    The test set is test-P. The forget unit is a pair of images with all its statements, of which there are at
    most two. As many units are forgotten by default as in the task flickr30k.

    Epochs and weight decay are those published for ALBEF. The learning rate is for the default backbone, as
    in flickr30k. Nothing was measured on this task.
    """

    name = "nlvr2"
    classes = ("false", "true")
    group = 2
    recipe = Recipe(epochs=5, lr=1e-3, weight_decay=0.02, batch_size=128, sampling="pair")
    info = DataInfo(
        about="100,322 statements about pairs of photographs, written by people, each true or false; the "
        "hidden test set is not published.",
        terms="The photographs belong to their owners and are given out for research on request; for the "
        "statements see the project's page.",
        source="statements: nlvr2/data/ in https://github.com/lil-lab/nlvr; images: the form linked in "
        "nlvr2/README.md there",
        layout=(
            "nlvr2/train.json, nlvr2/dev.json, nlvr2/test1.json (or .jsonl): one object a line",
            "nlvr2/images/: the images in any sub-folders, such as images/train/24/train-10171-0-img0.png",
            TURNED,
        ),
        hub=(
            "pingzhili/nlvr2: images, statements and labels (known from public code, not tried here)",
            "a folder of parquet files: columns left_image, right_image, identifier, sentence, label, split",
        ),
        sizes={"train": (None, 86_373), "validation": (None, 6_982), "test": (None, 6_967)},
        unit="image pair",
        pair="statement",
    )

    columns = ColumnNames(
        fields={
            "identifier": ("identifier", "uid"),
            "sentence": ("sentence", "statement"),
            "label": ("label", "answer"),
            "directory": ("directory",),
        },
        images=(
            ("left_image", "image0", "image_0", "images"),
            ("right_image", "image1", "image_1", "images"),
        ),
        optional=frozenset({"split", "directory"}),
        labels=frozenset({"label"}),
    )

    def rows(self, data_dir: Path) -> Iterator[tuple[str, DataRow]]:
        """Read the three JSON-lines files."""
        return self.line_rows(self.folder(data_dir), FILES)

    def add(self, row: DataRow, split: str, table: PairTable) -> Unit:
        """Add a statement about a pair of images.

        Raises:
            MmulbenchError: if identifier or label are damaged.
        """
        identifier = row.text("identifier")
        if not IDENTIFIER.fullmatch(identifier):
            raise MmulbenchError(f"{row.where}: identifier {identifier!r} is not like train-10171-0-0")
        label = str(row.value("label")).strip().lower()
        if label not in self.classes:
            raise MmulbenchError(f"{row.where}: unknown label {label!r}; known: True and False")
        pair = identifier.rpartition("-")[0]
        images = (f"{pair}-img0.png", f"{pair}-img1.png")
        if row.fields.get("directory") is not None:
            table.folders.update(dict.fromkeys(images, str(row.fields["directory"])))
        table.add(split, images, row.text("sentence"), row.where, self.classes.index(label))
        return images

    def local_images(self, table: PairTable, data_dir: Path) -> ImageTextSource:
        """Search the folder of images once."""
        images = self.folder(data_dir) / "images"
        return ImageTextSource(table, images, self.find_anywhere(images, table.folders))
