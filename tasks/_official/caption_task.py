"""Hold what Flickr30K and COCO share: captioned images in Karpathy's form or as JSON lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from mmulbench import MmulbenchError, Recipe
from mmulbench.tasks._official.hub_rows import ColumnNames
from mmulbench.tasks._official.image_text_task import ImageTextSource, ImageTextTask
from mmulbench.tasks._official.images import safe_name
from mmulbench.tasks._official.json_files import DataRow, as_list, as_row, as_text, read_document
from mmulbench.tasks._official.pair_table import PairTable, Unit

KARPATHY_SPLITS = {"train": "train", "restval": "train", "val": "validation", "test": "test"}
"""Split by its name in Karpathy's file."""

LIST_SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Split by its name in the names of the lists."""


class CaptionTask(ImageTextTask):
    """Describes retrieval between photographs and their captions.

    The forget unit is an image with all its captions. An epoch visits every pair, as published, so that an
    image counts as often as it has captions; an epoch that visits every image once would be a fifth as long.
    """

    rerank = 128
    gallery = 1000
    recipe = Recipe(epochs=5, lr=1e-3, weight_decay=0.02, batch_size=128, sampling="pair")

    images: ClassVar[str]
    """Folder, below the task's, of images whose annotations name no folder."""

    lists: ClassVar[tuple[str, ...]]
    """First parts of the names that the lists may have."""

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
        """Read ``dataset_<task>.json``, or the three lists if it is not there."""
        for part, path in self.caption_files(data_dir).items():
            if part == "all":
                yield from self._karpathy_rows(path)
            else:
                for number, value in enumerate(as_list(read_document(path), "the file", str(path))):
                    yield part, as_row(value, f"{path}: [{number}]")

    def add(self, row: DataRow, split: str, table: PairTable) -> Unit:
        """Add an image's captions, one or a list of them."""
        name = safe_name(row.text("image"), row.where)
        if "folder" in row.fields:
            name = safe_name(f"{row.text('folder')}/{name}", row.where)
        elif "/" not in name:
            name = f"{self.images}/{name}"
        caption = row.value("caption")
        for text in caption if isinstance(caption, list) else [caption]:
            table.add(split, (name,), as_text(text, "caption", row.where), row.where)
        return (name,)

    def local_images(self, table: PairTable, data_dir: Path) -> ImageTextSource:
        """Look for images below the task's folder."""
        folder = self.folder(data_dir)
        return ImageTextSource(table, folder, self.find_in(folder, folder / self.images))

    def caption_files(self, data_dir: Path) -> dict[str, Path]:
        """Find Karpathy's file, or the lists if it is not there.

        Returns:
            Karpathy's file as ``all``, or the list of each split by the split's name.

        Raises:
            UsageError: if neither is there.
        """
        folder, whole = self.folder(data_dir), f"dataset_{self.name}.json"
        first = self.first_of(folder, [whole, *(f"{begin}_train.json" for begin in self.lists)])
        if first.name == whole:
            return {"all": first}
        begin = first.name.removesuffix("train.json")
        return {split: self.first_of(folder, [f"{begin}{part}.json"]) for part, split in LIST_SPLITS.items()}

    def _karpathy_rows(self, path: Path) -> Iterator[tuple[str, DataRow]]:
        """Read the images of Karpathy's file, each with its split.

        Raises:
            MmulbenchError: if the file is damaged.
        """
        document = as_row(read_document(path), str(path))
        for number, value in enumerate(as_list(document.value("images"), "images", str(path))):
            image = as_row(value, f"{path}: images[{number}]")
            part = image.text("split")
            if part not in KARPATHY_SPLITS:
                known = ", ".join(KARPATHY_SPLITS)
                raise MmulbenchError(f"{image.where}: unknown split {part!r}; known: {known}")
            sentences = as_list(image.value("sentences"), "sentences", image.where)
            row = {
                "image": image.text("filename"),
                "folder": as_text(image.fields.get("filepath", self.images), "filepath", image.where),
                "caption": [as_row(sentence, image.where).text("raw") for sentence in sentences],
            }
            yield KARPATHY_SPLITS[part], DataRow(image.where, row)
