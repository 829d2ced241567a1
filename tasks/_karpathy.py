"""Captioned images in Karpathy's form, or as one JSON list a split: Flickr30K and COCO."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from mmulbench.errors import MmulbenchError
from mmulbench.progress import Progress
from mmulbench.tasks._images import safe_name
from mmulbench.tasks._jsonl import Record, as_list, as_record, as_text, read_document
from mmulbench.tasks._official import OfficialTask, Source
from mmulbench.tasks._pairs import PairTable
from mmulbench.training import Recipe

KARPATHY_SPLITS = {"train": "train", "restval": "train", "val": "validation", "test": "test"}
LIST_SPLITS = {"train": "train", "val": "validation", "test": "test"}


class CaptionTask(OfficialTask):
    """Retrieval between images and their captions.

    The forget unit is an image with all its captions. An epoch visits every pair, as published, so an image
    counts as often as it has captions; that of `Recipe`'s sampling ``unit`` would be a fifth as long.
    """

    rerank = 128
    recipe = Recipe(epochs=5, lr=1e-3, weight_decay=0.02, batch_size=128, sampling="pair")

    images: ClassVar[str]
    """The folder of images that have no folder in the annotations; all are below the task's folder."""

    lists: ClassVar[tuple[str, ...]]
    """How the names of per-split lists begin."""

    def read(self, data_dir: Path, progress: Progress) -> Source:
        """Read ``dataset_<task>.json``, or where that is not there the three lists."""
        folder = self.folder(data_dir)
        table = self.captions(data_dir)
        return Source(table, folder, self.find_in(folder, folder / self.images))

    def captions(self, data_dir: Path) -> PairTable:
        """The captions alone.

        Raises:
            UsageError: the files are not there.
            MmulbenchError: they are damaged.
        """
        table = PairTable()
        for part, path in self.caption_files(data_dir).items():
            if part == "all":
                self._read_karpathy(path, table)
            else:
                self._read_list(path, part, table)
        return table

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

    def _read_karpathy(self, path: Path, table: PairTable) -> None:
        document = as_record(read_document(path), str(path))
        for number, value in enumerate(as_list(document.value("images"), "images", str(path))):
            image = as_record(value, f"{path}: images[{number}]")
            part = image.text("split")
            if part not in KARPATHY_SPLITS:
                known = ", ".join(KARPATHY_SPLITS)
                raise MmulbenchError(f"{image.where}: unknown split {part!r}; known: {known}")
            for sentence in as_list(image.value("sentences"), "sentences", image.where):
                text = as_record(sentence, image.where).text("raw")
                table.add(KARPATHY_SPLITS[part], (self._karpathy_name(image),), text, image.where)

    def _karpathy_name(self, image: Record) -> str:
        """An image's path below the task's folder."""
        folder = as_text(image.fields.get("filepath", self.images), "filepath", image.where)
        return safe_name(f"{folder}/{safe_name(image.text('filename'), image.where)}", image.where)

    def _read_list(self, path: Path, split: str, table: PairTable) -> None:
        for number, value in enumerate(as_list(read_document(path), "the file", str(path))):
            row = as_record(value, f"{path}: [{number}]")
            name = safe_name(row.text("image"), row.where)
            name = name if "/" in name else f"{self.images}/{name}"
            caption: Any = row.value("caption")
            for text in caption if isinstance(caption, list) else [caption]:
                table.add(split, (name,), as_text(text, "caption", row.where), row.where)
