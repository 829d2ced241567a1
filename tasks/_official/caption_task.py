"""Captioned images in Karpathy's form, or as one JSON list a split: Flickr30K and COCO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from mmulbench import MmulbenchError, Recipe
from mmulbench.tasks._official.hub_rows import ColumnNames
from mmulbench.tasks._official.image_text_task import ImageTextTask, Source
from mmulbench.tasks._official.images import safe_name
from mmulbench.tasks._official.json_files import DataRow, as_list, as_record, as_text, read_document
from mmulbench.tasks._official.pair_table import PairTable, Unit

KARPATHY_SPLITS = {"train": "train", "restval": "train", "val": "validation", "test": "test"}
LIST_SPLITS = {"train": "train", "val": "validation", "test": "test"}


class CaptionTask(ImageTextTask):
    """Retrieval between images and their captions.

    The forget unit is an image with all its captions. An epoch visits every pair, as published, so an image
    counts as often as it has captions; that of `Recipe`'s sampling ``unit`` would be a fifth as long.
    """

    rerank = 128
    gallery = 1000
    recipe = Recipe(epochs=5, lr=1e-3, weight_decay=0.02, batch_size=128, sampling="pair")

    images: ClassVar[str]
    """The folder of images that have no folder in the annotations; all are below the task's folder."""

    lists: ClassVar[tuple[str, ...]]
    """How the names of per-split lists begin."""

    columns = ColumnNames(
        fields={
            "image": ("filename", "file_name", "image_name"),
            "folder": ("filepath",),
            "caption": ("caption", "captions", "sentences", "raw"),
        },
        optional=frozenset({"split", "folder"}),
        file="image",
    )

    def rows(self, data_dir: Path) -> Iterator[tuple[str, DataRow]]:
        """Read ``dataset_<task>.json``, or where that is not there the three lists."""
        for part, path in self.caption_files(data_dir).items():
            if part == "all":
                yield from self._karpathy_rows(path)
            else:
                for number, value in enumerate(as_list(read_document(path), "the file", str(path))):
                    yield part, as_record(value, f"{path}: [{number}]")

    def add(self, row: DataRow, split: str, table: PairTable) -> Unit:
        """Take an image's captions, one or a list."""
        name = safe_name(row.text("image"), row.where)
        if "folder" in row.fields:
            name = safe_name(f"{row.text('folder')}/{name}", row.where)
        elif "/" not in name:
            name = f"{self.images}/{name}"
        caption: Any = row.value("caption")
        for text in caption if isinstance(caption, list) else [caption]:
            table.add(split, (name,), as_text(text, "caption", row.where), row.where)
        return (name,)

    def local_images(self, table: PairTable, data_dir: Path) -> Source:
        """Images below the task's folder."""
        folder = self.folder(data_dir)
        return Source(table, folder, self.find_in(folder, folder / self.images))

    def caption_files(self, data_dir: Path) -> dict[str, Path]:
        """Karpathy's file as ``all``, or where that is not there, the list of each split.

        Raises:
            UsageError: neither is there.
        """
        folder, whole = self.folder(data_dir), f"dataset_{self.name}.json"
        first = self.first_of(folder, [whole, *(f"{begin}_train.json" for begin in self.lists)])
        if first.name == whole:
            return {"all": first}
        begin = first.name.removesuffix("train.json")
        return {split: self.first_of(folder, [f"{begin}{part}.json"]) for part, split in LIST_SPLITS.items()}

    def _karpathy_rows(self, path: Path) -> Iterator[tuple[str, DataRow]]:
        document = as_record(read_document(path), str(path))
        for number, value in enumerate(as_list(document.value("images"), "images", str(path))):
            image = as_record(value, f"{path}: images[{number}]")
            part = image.text("split")
            if part not in KARPATHY_SPLITS:
                known = ", ".join(KARPATHY_SPLITS)
                raise MmulbenchError(f"{image.where}: unknown split {part!r}; known: {known}")
            sentences = as_list(image.value("sentences"), "sentences", image.where)
            row = {
                "image": image.text("filename"),
                "folder": as_text(image.fields.get("filepath", self.images), "filepath", image.where),
                "caption": [as_record(sentence, image.where).text("raw") for sentence in sentences],
            }
            yield KARPATHY_SPLITS[part], DataRow(image.where, row)
