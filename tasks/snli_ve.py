"""Tell whether a photograph entails a sentence, on SNLI-VE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmulbench import (
    TASKS,
    DataInfo,
    Integers,
    MmulbenchError,
    Progress,
    Recipe,
    TaskData,
    UsageError,
    fingerprint,
    generator,
)
from mmulbench.tasks._official.hub_rows import NO_LABEL, ColumnNames
from mmulbench.tasks._official.image_text_task import TURNED, ImageTextSource, ImageTextTask
from mmulbench.tasks._official.images import Images, safe_name
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import PairTable, Unit
from mmulbench.tasks.flickr30k import Flickr30k

FILES = {
    "train": ["snli_ve_train.jsonl"],
    "validation": ["snli_ve_dev.jsonl"],
    "test": ["snli_ve_test.jsonl"],
}
"""Name of the official file, by split."""

KNOWN_SHARE = 0.5
"""Smallest share of the training images that Flickr30K trains on, too; officially, it is nearly all."""

NUMBER = re.compile(r"(\d+)\.0*", re.ASCII)
"""Number as programs write it that have made a float of it."""


@dataclass(frozen=True)
class SnliVeData(TaskData):
    """Holds SNLI-VE's data with its link to Flickr30K's.

    Attributes:
        flickr: (f,) items that Flickr30K's training images are here, in the order of Flickr30K's forget
            units; -1 for each that is no training image of SNLI-VE.
    """

    flickr: Integers


@TASKS.register("snli_ve")
class SnliVe(ImageTextTask):
    """Asks whether a photograph entails a hypothesis, contradicts it, or leaves it open (Xie et al. 2019).

    Images are Flickr30K's. Rows without a gold label (``-``) are dropped. The forget unit is an image with
    all its hypotheses. Images that are forgotten on Flickr30K come first: a seed's forget list is the same
    seed's list of the task flickr30k without images that SNLI-VE does not train on, then SNLI-VE's other
    training images in random order. So Flickr30K's captions are needed too. As many units are forgotten by
    default as in the task flickr30k.

    Epochs and weight decay are those published for ALBEF. The learning rate is for the default backbone, as
    in flickr30k. Nothing was measured on this task.
    """

    name = "snli_ve"
    classes = ("entailment", "neutral", "contradiction")
    recipe = Recipe(epochs=3, lr=1e-3, weight_decay=0.05, batch_size=128, sampling="pair")
    info = DataInfo(
        about="565,286 pairs of a Flickr30K photograph and a hypothesis from SNLI, with what the photograph "
        "says about it.",
        terms="Made from SNLI (CC-BY-SA 4.0) and Flickr30K, whose terms apply; see the licence on SNLI-VE's "
        "page.",
        source="https://github.com/necla-ml/SNLI-VE links the three JSONL files; Flickr30K's images and "
        "captions: mmulbench data info flickr30k",
        layout=(
            "snli_ve/snli_ve_{train,dev,test}.jsonl: the three files",
            "flickr30k/flickr30k-images/: Flickr30K's images",
            TURNED,
            "flickr30k/dataset_flickr30k.json: Flickr30K's captions and splits, for the order of deletion",
        ),
        hub=(
            "pingzhili/snli-ve: images, hypotheses and labels (known from public code, not tried here)",
            "a folder of parquet files: columns image, Flickr30K_ID, sentence2, gold_label, split",
            "  Either way Flickr30K's captions have to be in the data folder, for the order of deletion",
        ),
        sizes={"train": (29_783, 529_527), "validation": (1_000, 17_858), "test": (1_000, 17_901)},
        pair="hypothesis",
    )

    columns = ColumnNames(
        fields={
            "Flickr30K_ID": ("Flickr30K_ID", "filename", "file_name"),
            "sentence2": ("sentence2", "hypothesis", "sentence"),
            "gold_label": ("gold_label", "label"),
        },
        labels=frozenset({"gold_label"}),
        file="Flickr30K_ID",
    )

    def rows(self, data_dir: Path) -> Iterator[tuple[str, DataRow]]:
        """Read the three JSON-lines files."""
        return self.line_rows(self.folder(data_dir), FILES)

    def add(self, row: DataRow, split: str, table: PairTable) -> Unit | None:
        """Add a hypothesis, unless its annotators did not agree on a label.

        Raises:
            MmulbenchError: if label or image name are damaged.
        """
        gold = row.text("gold_label").strip().lower()
        if gold == NO_LABEL:
            table.dropped["no gold label (-)"] += 1
            return None
        if gold not in self.classes:
            known = ", ".join(self.classes)
            raise MmulbenchError(f"{row.where}: unknown gold_label {gold!r}; known: {known} and -")
        name = _file_name(row.value("Flickr30K_ID"), row.where)
        image = f"{Flickr30k.images}/{name}"
        table.add(split, (image,), row.text("sentence2"), row.where, self.classes.index(gold))
        return (image,)

    def local_images(self, table: PairTable, data_dir: Path) -> ImageTextSource:
        """Look for Flickr30K's images."""
        flickr = data_dir / Flickr30k.name
        return ImageTextSource(table, flickr, self.find_in(flickr, flickr / Flickr30k.images))

    def read(self, data_dir: Path, progress: Progress) -> ImageTextSource:
        """Read the annotations, and make sure that Flickr30K's are there and fit, which `load` needs.

        Raises:
            UsageError: if annotations or images are not there.
            MmulbenchError: if annotations are damaged, or most images are not Flickr30K's.
        """
        source = super().read(data_dir, progress)
        try:
            Flickr30k().caption_files(data_dir)
        except UsageError as error:
            needed = f"Flickr30K's dataset_{Flickr30k.name}.json, for the order of deletion"
            raise self.missing(needed, data_dir / Flickr30k.name) from error
        self._check_ids(source.table, data_dir, progress)
        return source

    def _check_ids(self, table: PairTable, data_dir: Path, progress: Progress) -> None:
        """Demand that Flickr30K knows most training images, since its order is taken; say how many not.

        Raises:
            MmulbenchError: if they are not.
        """
        known = {Path(name).name for name in Flickr30k().training_images(data_dir)}
        ours = [Path(image).name for (image,) in table.units_of("train")]
        others = [name for name in ours if name not in known]
        if len(others) > (1 - KNOWN_SHARE) * len(ours):
            raise MmulbenchError(
                f"{len(others):,} of {len(ours):,} training images of snli_ve, such as {others[0]}, are none "
                f"of flickr30k's, such as {min(known)}, whose order of deletion is taken: Flickr30K_ID must "
                "be its file name"
            )
        if others:
            progress.note(
                f"{len(others):,} of {len(ours):,} training images of snli_ve "
                f"({len(others) / len(ours):.1%}), such as {others[0]}, are none of flickr30k's, such as "
                f"{min(known)}: they are deleted after all others, in an order of their own"
            )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read the data, and find the training images that Flickr30K trains on."""
        source = super().load(data_dir, progress)
        order = Flickr30k().training_images(data_dir)
        images: Images = source.items["image"].images
        trained = {images.names[unit]: unit for unit in source.train.units.tolist()}
        flickr = np.array([trained.get(Path(name).name, -1) for name in order], dtype=np.int64)
        fields = {name: getattr(source, name) for name in TaskData.__dataclass_fields__}
        data = SnliVeData(**fields, flickr=flickr)
        return replace(data, fingerprint=fingerprint([data.fingerprint, flickr.tolist()]))

    def forget_order(self, data: TaskData, seed: int) -> Integers:
        """Take Flickr30K's order of this seed without images that are not trained on here, then the rest."""
        assert isinstance(data, SnliVeData)
        first = generator(seed, "forget").permutation(data.flickr)
        first = first[first >= 0]
        rest = np.setdiff1d(data.train.units, first)
        return np.concatenate([first, generator(seed, "forget, not in flickr30k").permutation(rest)])


def _file_name(value: object, where: str) -> str:
    """Return the file name of the image that an id stands for, in whichever spelling programs leave it.

    Args:
        value: id as a number or text, with or without folder and extension.
        where: place of the id, for messages.

    Raises:
        MmulbenchError: if it is no id, or leads out of the folder of images.
    """
    if isinstance(value, float) and value.is_integer():  # pandas makes floats of numbers where one is missing
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MmulbenchError(f"{where}: Flickr30K_ID {value!r} is neither a number nor a file name")
    name = str(value).strip().removeprefix(f"{Flickr30k.images}/")
    name = re.sub(r"\.jpe?g$", "", name, flags=re.IGNORECASE)
    number = NUMBER.fullmatch(name)
    return safe_name(f"{number[1] if number else name}.jpg", where)
