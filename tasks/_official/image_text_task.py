"""What the official image-text data sets have in common: where annotations and images come from."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from mmulbench import DataReport, Integers, MmulbenchError, Progress, RawItems, TaskData
from mmulbench.tasks._official.data_folder_task import DataFolderTask
from mmulbench.tasks._official.hub_open import open_hub
from mmulbench.tasks._official.hub_rows import ColumnNames, HubImages, ImageLocation
from mmulbench.tasks._official.images import Finder, ImageFile, ImageFiles, Images, TreeFinder
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import SPLITS, Annotations, PairTable, Unit


def open_files(names: Sequence[str], found: Sequence[ImageFile]) -> Images:
    """Images that are files; they have their names with them."""
    return ImageFiles([file.path for file in found])


@dataclass(frozen=True)
class Source:
    """What was read from the annotations.

    Attributes:
        table: the pairs.
        images: where images are looked for, for messages.
        find: finds an image by its name in the table.
        open: makes a sequence of images out of their names and what was found.
    """

    table: PairTable
    images: PurePath
    find: Callable[[str], ImageFile | ImageLocation | None]
    open: Callable[[Sequence[str], Sequence[Any]], Images] = open_files


class ImageTextTask(DataFolderTask):
    """Reads a data set as its authors publish it, or from a hub. Subclasses say how a row is read.

    The same data gives the same splits and the same fingerprint, wherever it comes from.

    An image is decoded when a backbone prepares it, never kept. The fingerprint covers the annotations as
    they are used, and name and size of every image file, not the pixels: reading those would take as long as
    preparing them. A text that several images have is one item, right for all of them.
    """

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    tuned_like = ("emoji", "albef:packaged")
    forget_count = 1000

    columns: ClassVar[ColumnNames]
    """Where on a hub the fields of a row are."""

    @dataclass(frozen=True)
    class Config(DataFolderTask.Config):
        """Settings of the task.

        Attributes:
            hub: a parquet-backed data set on a hub, such as owner/name or owner/name@revision, or a local
                folder of parquet files in the same format, instead of local files.
        """

        hub: str = ""

    config: Config

    @abstractmethod
    def rows(self, data_dir: Path) -> Iterator[tuple[str, DataRow]]:
        """The rows of the local annotation files, each with its split.

        Raises:
            UsageError: they are not there.
            MmulbenchError: they are damaged.
        """

    @abstractmethod
    def add(self, row: DataRow, split: str, table: PairTable) -> Unit | None:
        """Take the pairs of one row.

        Returns:
            Names of its images; None where the row is dropped.

        Raises:
            MmulbenchError: it is damaged.
        """

    @abstractmethod
    def local_images(self, table: PairTable, data_dir: Path) -> Source:
        """The table with where its images are on disk.

        Raises:
            UsageError: they are not there.
        """

    def read(self, data_dir: Path, progress: Progress) -> Source:
        """Read the annotations, local ones or those of a hub.

        Raises:
            UsageError: they are not there.
            MmulbenchError: they are damaged.
        """
        if self.config.hub:
            return self._read_hub(data_dir, progress)
        return self.local_images(self.table(data_dir), data_dir)

    def table(self, data_dir: Path) -> PairTable:
        """The pairs of the local annotation files; no image needs to be there."""
        table = PairTable()
        for split, row in self.rows(data_dir):
            self.add(row, split, table)
        return table

    def _read_hub(self, data_dir: Path, progress: Progress) -> Source:
        """Read a hub's data set; where it has no images, those on disk are taken."""
        otherwise = f"local files do as well: mmulbench data info {self.name}"
        hub = open_hub(self.config.hub, self.columns, otherwise)
        table, places = PairTable(), dict[str, ImageLocation]()
        for split, record, images in progress.track(hub.rows(), len(hub), "read annotations"):
            unit = self.add(record, split, table)
            if unit is not None and images:
                _remember(places, unit, images, record.where)
        if not hub.has_images:
            return self.local_images(table, data_dir)

        def opened(names: Sequence[str], found: Sequence[ImageLocation]) -> Images:
            return HubImages(hub, [PurePosixPath(name).name for name in names], found)

        return Source(table, PurePath(hub.name), places.get, opened)

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read the annotations and find every image, without decoding any."""
        source = self.read(data_dir, progress)
        annotations = source.table.build(labelled=bool(self.classes), limit=self.config.limit)
        names, groups = _images_of(annotations)
        found = {name: source.find(name) for name in progress.track(names, len(names), "find images")}
        missing = [name for name, file in found.items() if file is None]
        if missing:
            raise MmulbenchError(
                f"{source.images / missing[0]} is missing ({len(missing):,} of {len(names):,} images are): "
                f"mmulbench data check {self.name} --data-dir {data_dir} lists them all"
            )
        files = [file for file in found.values() if file is not None]
        return TaskData(
            items={
                "image": RawItems(images=source.open(names, files), groups=groups),
                "text": RawItems(texts=annotations.texts),
            },
            **annotations.splits,
            fingerprint=_fingerprint(annotations, zip(names, (file.size for file in files), strict=True)),
        )

    def check(self, data_dir: Path, progress: Progress) -> DataReport:
        """Count what is there, and find and decode every image."""
        source = self.read(data_dir, progress)
        annotations = source.table.build(labelled=bool(self.classes))
        names, _ = _images_of(annotations)
        problems = []
        for name in progress.track(names, len(names), "decode images"):
            problem = _problem_of(name, source)
            if problem:
                problems.append(problem)
        return self.report(annotations, lambda unit: annotations.units[unit], problems)

    def find_in(self, root: Path, images: Path) -> Finder:
        """Finds images by path below ``root``.

        Raises:
            UsageError: the folder ``images`` is not there.
        """
        if not images.is_dir():
            raise self.missing(f"the folder {images.name} with the images", images.parent)
        return Finder(root)

    def find_anywhere(self, images: Path, hints: dict[str, str]) -> TreeFinder:
        """Finds images by bare name in a folder and its sub-folders.

        Raises:
            UsageError: the folder is not there.
        """
        if not images.is_dir():
            raise self.missing(f"the folder {images.name} with the images", images.parent)
        return TreeFinder(images, hints)

    def first_of(self, folder: Path, names: Iterable[str]) -> Path:
        """The first of several files that is there.

        Raises:
            UsageError: none is.
        """
        candidates = list(names)
        for name in candidates:
            if (folder / name).is_file():
                return folder / name
        raise self.missing(" or ".join(candidates), folder)


def _images_of(annotations: Annotations) -> tuple[list[str], Integers | None]:
    """Names of all images, and (n, k) which of them make up each unit; None where a unit is one image."""
    names = sorted({name for unit in annotations.units for name in unit})
    if all(len(unit) == 1 for unit in annotations.units):
        return names, None
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([[index[name] for name in unit] for unit in annotations.units], dtype=np.int64)


def _remember(
    places: dict[str, ImageLocation], unit: Unit, images: Sequence[ImageLocation | None], where: str
) -> None:
    """Note where the images of a row are; an image that several rows have is taken from the first."""
    for name, place in zip(unit, images, strict=True):
        if place is None:
            continue
        first = places.setdefault(name, place)
        if first.size != place.size:
            raise MmulbenchError(
                f"{where}: the image {name} is not that of split {first.split}, row {first.row}: keep one"
            )


def _problem_of(name: str, source: Source) -> str | None:
    """What is wrong with an image, in one line."""
    try:
        file = source.find(name)
        if file is None:
            return f"{source.images / name}: missing"
        source.open([name], [file]).read(0)
    except MmulbenchError as error:
        return str(error)
    return None


def _fingerprint(annotations: Annotations, files: Iterable[tuple[str, int]]) -> str:
    """SHA-256 over units, texts, splits, and names and sizes of the image files."""
    total = hashlib.sha256()

    def add(*parts: Any) -> None:
        for part in parts:
            total.update(f"{len(part)}:".encode() + part)

    add(*("\0".join(unit).encode() for unit in annotations.units))
    add(*(text.encode() for text in annotations.texts))
    for split in SPLITS:
        columns = annotations.splits[split]
        labels = columns.label if columns.label is not None else np.empty(0, dtype=np.int64)
        add(split.encode(), *(column.tobytes() for column in (columns.first, columns.second, labels)))
    add(*(f"{name}\0{size}".encode() for name, size in files))
    return total.hexdigest()
