"""Hold what all official image-text data sets share: where annotations and images come from."""

from __future__ import annotations

import hashlib
import shlex
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import ClassVar

import numpy as np

from mmulbench import DataReport, Integers, MmulbenchError, Progress, RawItems, TaskData
from mmulbench.broken_off import doubt_about
from mmulbench.file_digests import Hints
from mmulbench.lfs_pointers import LFS_BYTES, is_lfs_pointer
from mmulbench.pictures import DECODING
from mmulbench.tasks._official.data_folder_task import DataFolderTask
from mmulbench.tasks._official.hub_open import open_hub
from mmulbench.tasks._official.hub_rows import ColumnNames, HubImage, ImageLocation
from mmulbench.tasks._official.images import Finder, Images, StoredImage, TreeFinder, with_digests
from mmulbench.tasks._official.json_files import DataRow, read_lines
from mmulbench.tasks._official.pair_table import SPLITS, Annotations, PairTable, Unit
from mmulbench.tasks._official.same_images import SameImages

TURNED = "  they are turned as their EXIF orientation says, as the library datasets turns them"
"""What `mmulbench data info` says of images below their folder; ALBEF's and BLIP's own loaders leave them."""


@dataclass(frozen=True)
class ImageTextSource:
    """Holds what was read from the annotations, and where the images are.

    Attributes:
        table: pairs of all splits.
        images: folder or data set that has the images, for messages.
        find: finds an image by its name in the table; None where there is none.
    """

    table: PairTable
    images: PurePath
    find: Callable[[str], StoredImage | None]


class ImageTextTask(DataFolderTask):
    """Describes a task on a data set as its authors publish it, or from a hub.

    Subclasses say how a row is read. The same data gives the same splits and the same fingerprint, wherever
    it comes from.

    An image is decoded when a backbone prepares it, never kept, and turned as its EXIF orientation says. The
    fingerprint covers the annotations as they are used, and name and content of every image file: its digest
    is taken when the data is opened, and has to be the same when the image is decoded. A text that several
    images have is one item, right for all of them.
    """

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    tuned_like = ("emoji", "albef:packaged")
    forget_count = 1000

    columns: ClassVar[ColumnNames]
    """Names of the columns that a hub's rows have."""

    @dataclass(frozen=True)
    class Config(DataFolderTask.Config):
        """Holds the settings of a task on images and texts.

        Attributes:
            hub: name of a parquet-backed data set on a hub, such as owner/name or owner/name@revision, or of
                a local folder of parquet files in the same format; empty for local files.
        """

        hub: str = ""

    config: Config

    @abstractmethod
    def rows(self, data_dir: Path) -> Iterator[tuple[str, DataRow]]:
        """Read the rows of the local annotation files, each with its split.

        Raises:
            UsageError: if the files are not there.
            MmulbenchError: if the files are damaged.
        """

    @abstractmethod
    def add(self, row: DataRow, split: str, table: PairTable) -> Unit | None:
        """Add the pairs of one row to a table.

        Args:
            row: row of a local file or of a hub.
            split: name of the row's split.
            table: table that takes the pairs.

        Returns:
            Names of the row's images; None where the row is dropped.

        Raises:
            MmulbenchError: if the row is damaged.
        """

    @abstractmethod
    def local_images(self, table: PairTable, data_dir: Path) -> ImageTextSource:
        """Say where on disk the images of a table are.

        Args:
            table: pairs of all splits.
            data_dir: data folder.

        Raises:
            UsageError: if the folder of images is not there.
        """

    def read(self, data_dir: Path, progress: Progress) -> ImageTextSource:
        """Read the annotations, local ones or those of a hub.

        Args:
            data_dir: data folder.
            progress: where the number of rows read is shown.

        Raises:
            UsageError: if annotations or images are not there.
            MmulbenchError: if annotations are damaged.
        """
        if self.config.hub:
            return self._read_hub(data_dir, progress)
        return self.local_images(self.table(data_dir), data_dir)

    def table(self, data_dir: Path) -> PairTable:
        """Collect the pairs of the local annotation files; no image needs to be there."""
        table = PairTable()
        for split, row in self.rows(data_dir):
            self.add(row, split, table)
        return table

    def _read_hub(self, data_dir: Path, progress: Progress) -> ImageTextSource:
        """Read a hub's data set; if it has no images, those on disk are taken."""
        otherwise = f"local files do as well: mmulbench data info {self.name}"
        hub = open_hub(self.config.hub, self.columns, otherwise, progress.track)
        table, locations = PairTable(), dict[str, ImageLocation]()
        for split, row, images in progress.track(hub.rows(), len(hub), "read annotations"):
            unit = self.add(row, split, table)
            if unit is not None and images:
                _remember(locations, unit, images, row.where)
        if not hub.has_images:
            return self.local_images(table, data_dir)

        def find(name: str) -> HubImage | None:
            return HubImage(hub, locations[name]) if name in locations else None

        return ImageTextSource(table, PurePath(hub.name), find)

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read the annotations, find every image and take its digest, without decoding any.

        Raises:
            UsageError: if annotations or images are not there.
            MmulbenchError: if annotations are damaged, or an image is missing, a Git LFS pointer, or cannot
                be read.
        """
        source = self.read(data_dir, progress)
        annotations = source.table.build(labelled=bool(self.classes), limit=self.config.limit)
        names, groups = _images_of(annotations)
        found = {name: source.find(name) for name in progress.track(names, len(names), "find images")}
        self._refuse_lacking(found, source, data_dir)
        hints, there = Hints(source.images), {name: one for name, one in found.items() if one is not None}
        stored = with_digests(there, hints, progress.track)
        images = Images([PurePosixPath(name).name for name in names], stored, hints)
        return TaskData(
            items={
                "image": RawItems(images=images, groups=groups),
                "text": RawItems(texts=annotations.texts),
            },
            **annotations.splits,
            fingerprint=_fingerprint(
                annotations, zip(names, (image.digest for image in stored), strict=True)
            ),
        )

    def _refuse_lacking(
        self, found: Mapping[str, StoredImage | None], source: ImageTextSource, data_dir: Path
    ) -> None:
        """Demand that every image is there, before any is decoded.

        Raises:
            MmulbenchError: if an image is missing, or a Git LFS pointer.
        """
        missing = [name for name, image in found.items() if image is None]
        pointers = [name for name, image in found.items() if image is not None and _is_pointer(image)]
        for names, fault in ((missing, "missing"), (pointers, "a Git LFS pointer (run git lfs pull)")):
            if names:
                hub = ["--hub", self.config.hub] if self.config.hub else []
                command = ["mmulbench", "data", "check", self.name, "--data-dir", str(data_dir), *hub]
                raise MmulbenchError(
                    f"{source.images / names[0]} is {fault} ({len(names):,} of {len(found):,} images are): "
                    f"{shlex.join(command)} lists them all"
                )

    def check(self, data_dir: Path, progress: Progress) -> DataReport:
        """Count what is there, find and decode every image, and find those that are the same."""
        source = self.read(data_dir, progress)
        annotations = source.table.build(labelled=bool(self.classes))
        names, _ = _images_of(annotations)
        same, problems, notes = SameImages(annotations), list[str](), list[str]()
        for name in progress.track(names, len(names), "decode images"):
            try:
                image = source.find(name)
                if image is None:
                    problems.append(f"{source.images / name}: missing")
                    continue
                same.add(name, image.read())
                if doubt := doubt_about(image.content()):
                    notes.append(f"{source.images / name}: {doubt}")
            except MmulbenchError as error:
                problems.append(str(error))
        notes = [*same.lines(), *notes]
        return self.report(annotations, lambda unit: annotations.units[unit], problems, notes)

    def find_in(self, root: Path, images: Path) -> Finder:
        """Make a finder of images by path.

        Args:
            root: folder that paths are relative to.
            images: folder that has to exist.

        Raises:
            UsageError: if the folder ``images`` is not there.
        """
        if not images.is_dir():
            raise self.missing(f"the folder {images.name} with the images", images.parent)
        return Finder(root)

    def find_anywhere(self, images: Path, hints: Mapping[str, str]) -> TreeFinder:
        """Make a finder of images by bare name.

        Args:
            images: folder that is searched with its sub-folders.
            hints: by bare name, the sub-folder to prefer where several hold the name.

        Raises:
            UsageError: if the folder is not there.
        """
        if not images.is_dir():
            raise self.missing(f"the folder {images.name} with the images", images.parent)
        return TreeFinder(images, hints)

    def line_rows(self, folder: Path, files: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, DataRow]]:
        """Read the rows of three JSON-lines files, each with its split.

        Args:
            folder: folder of the files.
            files: accepted names of each split's file, the preferred one first.

        Raises:
            UsageError: if a file is not there.
            MmulbenchError: if a file is damaged.
        """
        paths = {split: self.first_of(folder, names) for split, names in files.items()}
        for split, path in paths.items():
            for row in read_lines(path):
                yield split, row

    def first_of(self, folder: Path, names: Iterable[str]) -> Path:
        """Find the first of several files that is there.

        Args:
            folder: folder to look in.
            names: names of the files, the preferred one first.

        Raises:
            UsageError: if none is there.
        """
        candidates = list(names)
        for name in candidates:
            if (folder / name).is_file():
                return folder / name
        raise self.missing(" or ".join(candidates), folder)


def _images_of(annotations: Annotations) -> tuple[list[str], Integers | None]:
    """Give numbers to the images of all units.

    Returns:
        Names of the images, and (n, k) the images that make up each unit; None where a unit is one image.
    """
    names = sorted({name for unit in annotations.units for name in unit})
    if all(len(unit) == 1 for unit in annotations.units):
        return names, None
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([[index[name] for name in unit] for unit in annotations.units], dtype=np.int64)


def _is_pointer(image: StoredImage) -> bool:
    """Tell whether an image is a Git LFS pointer; only files as small as one are read."""
    try:
        return image.size < LFS_BYTES and is_lfs_pointer(image.content())
    except OSError:  # decoding says why it cannot be read
        return False


def _remember(
    locations: dict[str, ImageLocation], unit: Unit, images: Sequence[ImageLocation | None], where: str
) -> None:
    """Note where the images of a row are; an image that several rows have is taken from the first.

    Raises:
        MmulbenchError: if a row has another image of the same name.
    """
    for name, location in zip(unit, images, strict=True):
        if location is None:
            continue
        first = locations.setdefault(name, location)
        if first.digest != location.digest:
            raise MmulbenchError(
                f"{where}: the image {name} is not that of split {first.split}, row {first.row}: keep one"
            )


def _fingerprint(annotations: Annotations, files: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of units, texts, splits, names and digests of the image files, and `DECODING`."""
    total = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            total.update(f"{len(part)}:".encode() + part)

    add(*("\0".join(unit).encode() for unit in annotations.units))
    add(*(text.encode() for text in annotations.texts))
    for split in SPLITS:
        columns = annotations.splits[split]
        labels = columns.label if columns.label is not None else np.empty(0, dtype=np.int64)
        add(split.encode(), *(column.tobytes() for column in (columns.first, columns.second, labels)))
    add(f"decoding {DECODING}".encode(), *(f"{name}\0{digest}".encode() for name, digest in files))
    return total.hexdigest()
