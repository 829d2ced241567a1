"""Read rows and images of a data set on a hub through the library `datasets`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from mmulbench import MmulbenchError, UsageError, read_image
from mmulbench.file_digests import WORKERS, Hints, Stamp
from mmulbench.pictures import Pixels
from mmulbench.progress import Track
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import SPLITS

if TYPE_CHECKING:
    from datasets import Dataset
    from pyarrow import Table

Label = int | str | bool
"""Label of a row as a column holds it, by number or by name."""

SPLIT_OF = {
    "train": "train",
    "restval": "train",
    **dict.fromkeys(("validation", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "test1", "testp", "test_p", "test-p"), "test"),
}
"""Split by its name on a hub, in small letters. Splits of other names, such as hidden test sets, are left
out."""

NOT_LABELLED = -1
"""Number that stands for a missing label in columns of numbers."""

NO_LABEL = "-"
"""Text that stands for a missing label, as in SNLI's own files."""

BATCH = 1000
"""Number of rows whose annotations are read at once."""


@dataclass(frozen=True)
class ColumnNames:
    """Says under which names the columns of a task's rows are accepted; the first name that exists is used.

    Attributes:
        fields: accepted column names, by the field of the row that the task reads.
        images: accepted column names of each image of a unit; a column of several images holds lists.
        optional: fields that may be missing.
        labels: fields that are labels, whose numbers are replaced by the names of the classes.
        file: field that may instead be the file name stored with the image.
    """

    fields: Mapping[str, tuple[str, ...]]
    images: tuple[tuple[str, ...], ...] = (("image",),)
    optional: frozenset[str] = frozenset({"split"})
    labels: frozenset[str] = frozenset()
    file: str = ""


class ImageLocation(NamedTuple):
    """Says where in a hub's data set the bytes of an image are.

    Attributes:
        split: the data set's own name of the split.
        row: number of the row in the split.
        column: name of the column.
        part: place of the image in the column's list; None where the column holds no lists.
        size: number of bytes of the image.
        digest: SHA-256 of the image.
    """

    split: str
    row: int
    column: str
    part: int | None
    size: int
    digest: str


class HubRow(NamedTuple):
    """Holds a row with its split and its images.

    Attributes:
        split: name of the split that the row belongs to, one of `SPLITS`.
        row: annotations of the row.
        images: location of each image of the row's unit; None where an image has no bytes.
    """

    split: str
    row: DataRow
    images: tuple[ImageLocation | None, ...]


@dataclass(frozen=True)
class HubImage:
    """Holds an image on a hub, which is decoded when it is read.

    Attributes:
        hub: data set that has the image.
        location: place of the image in the data set.
    """

    hub: HubData
    location: ImageLocation

    @property
    def size(self) -> int:
        """Number of bytes of the image."""
        return self.location.size

    @property
    def digest(self) -> str:
        """SHA-256 of the image."""
        return self.location.digest

    def content(self) -> bytes:
        """Return the bytes of the image."""
        return self.hub.content(self.location)

    def read(self) -> Pixels:
        """Decode the image."""
        return self.hub.read(self.location)


class HubData:
    """Reads an opened data set.

    Args:
        name: the user's name of the data set, for messages.
        splits: `datasets.Dataset` by the data set's own name of the split, giving pyarrow tables.
        columns: names of the columns that are looked for.
        track: shows a bar while images are hashed.

    Attributes:
        has_images: whether the data set has images, not annotations alone.

    Raises:
        UsageError: if a column or a split is missing.
        MmulbenchError: if a column does not hold images.
    """

    def __init__(self, name: str, splits: Mapping[str, Dataset], columns: ColumnNames, track: Track) -> None:
        self.name = name
        self._splits, self._columns = splits, columns
        self._there: list[str] = next(iter(splits.values())).column_names
        found = [self._first(names) for names in columns.images]
        self._images = [column for column in found if column] if all(found) else []
        self.has_images = bool(self._images)
        self._fields = self._find_fields()
        if "split" not in self._fields:
            self._check_splits()
        self._pictures = {
            (own, column): data.select_columns([column])
            for own, data in splits.items()
            for column in dict.fromkeys(self._images)
        }
        self._digests = self._take_digests(track)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._splits.values())

    def rows(self) -> Iterator[HubRow]:
        """Read all rows that belong to a known split.

        Raises:
            MmulbenchError: if a value is not of the type that its column should hold.
        """
        wanted = list(dict.fromkeys([*self._fields.values(), *self._images]))
        for own, data in self._splits.items():
            start = 0
            for batch in data.select_columns(wanted).iter(BATCH):
                yield from self._rows(own, start, batch)
                start += len(batch)

    def content(self, location: ImageLocation) -> bytes:
        """Return the bytes of an image."""
        table = self._pictures[location.split, location.column][location.row : location.row + 1]
        image = table[location.column][0].as_py()
        content: bytes = (image if location.part is None else image[location.part])["bytes"]
        return content

    def read(self, location: ImageLocation) -> Pixels:
        """Decode an image.

        Returns:
            (h, w, 3) RGB.

        Raises:
            MmulbenchError: if the image is damaged.
        """
        where = f"{self._where(location.split, location.row)}, column {location.column}"
        return read_image(self.content(location), where, location.digest)

    def _take_digests(self, track: Track) -> dict[tuple[str, str], list[str]]:
        """Take the digests of all images, or believe the hints on the library's files of them.

        Returns:
            By split and column, the digest of each image, row by row; empty where an image has no bytes.

        Raises:
            MmulbenchError: if a column does not hold images.
        """
        hints, found = Hints(PurePath(self.name)), dict[tuple[str, str], list[str]]()
        for (own, column), data in self._pictures.items():
            files = [Path(file["filename"]) for file in data.cache_files]
            key = "\0".join([own, column, *map(str, files)])
            stamps, begun = [Stamp.of(file.stat()) for file in files], time.time_ns()
            known = hints.find(key, stamps)
            if known is None:
                known = list(track(self._hashed(own, column), len(data) * self._each(column), "hash images"))
                hints.note(key, stamps, known, begun)
            found[own, column] = known
        hints.save()
        return found

    def _hashed(self, own: str, column: str) -> Iterator[str]:
        """Yield the digests of the images of a column, row by row."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for batch in self._pictures[own, column].iter(BATCH):
                contents, _ = self._contents(own, column, batch)
                yield from pool.map(_digest, [content.as_buffer() for content in contents])

    def _first(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if name in self._there), None)

    def _find_fields(self) -> dict[str, str]:
        """Find the column of each field.

        Raises:
            UsageError: if a column is missing.
        """
        wanted = {"split": ("split",), **self._columns.fields}
        fields = {key: column for key, names in wanted.items() if (column := self._first(names))}
        for key, names in wanted.items():
            instead = key == self._columns.file and self.has_images
            if key not in fields and key not in self._columns.optional and not instead:
                raise UsageError(
                    f"task.hub={self.name} has no column {' or '.join(names)}; its columns are: "
                    f"{', '.join(sorted(self._there))}"
                )
        return fields

    def _check_splits(self) -> None:
        """Demand that every split is there, and validation and test once only.

        Raises:
            UsageError: if a split is missing, or there twice.
        """
        homes = [SPLIT_OF.get(name.lower()) for name in self._splits]
        there = ", ".join(self._splits)
        for split in SPLITS:
            accepted = [name for name, home in SPLIT_OF.items() if home == split]
            if split not in homes:
                raise UsageError(
                    f"task.hub={self.name} has no split {' or '.join(accepted)}, and no column split; "
                    f"its splits are: {there}"
                )
            if split != "train" and homes.count(split) > 1:
                raise UsageError(f"task.hub={self.name} has several {split} splits: {there}")

    def _rows(self, own: str, start: int, batch: Table) -> Iterator[HubRow]:
        """Read the rows of a batch that begins at row ``start`` of the split called ``own``.

        Raises:
            MmulbenchError: if a row's split is unknown, or its image has no name.
        """
        values = batch.select(list(dict.fromkeys(self._fields.values()))).to_pylist()
        locations = [self._locations(own, start, batch, part) for part in range(len(self._images))]
        files = self._files(batch)
        for number, value in enumerate(values):
            where = self._where(own, start + number)
            fields = {key: value[column] for key, column in self._fields.items()}
            split = SPLIT_OF.get(str(fields.get("split", own)).lower())
            if split is None and "split" in fields:
                known = ", ".join(SPLIT_OF)
                raise MmulbenchError(f"{where}: unknown split {fields['split']!r}; known: {known}")
            for key in self._columns.labels & fields.keys():
                fields[key] = self._label(own, self._fields[key], fields[key], where)
            if files is not None:
                if not files[number]:
                    raise MmulbenchError(f"{where}: the image has no file name")
                fields[self._columns.file] = files[number]
            if split is not None:
                yield HubRow(split, DataRow(where, fields), tuple(column[number] for column in locations))

    def _label(self, own: str, column: str, value: Label | None, where: str) -> Label:
        """Return a label's name, or `NO_LABEL`.

        Raises:
            MmulbenchError: if there is no such class.
        """
        if value is None or value == NOT_LABELLED:
            return NO_LABEL
        names: list[str] | None = getattr(self._splits[own].features[column], "names", None)
        if names is None or not isinstance(value, int):
            return value
        if not 0 <= value < len(names):
            raise MmulbenchError(f"{where}: {column} is {value}, but there are {len(names)} classes")
        return names[value]

    def _files(self, batch: Table) -> list[str] | None:
        """Return the file names stored with the images, where no column holds them.

        Raises:
            UsageError: if the images have no names either.
        """
        import pyarrow.compute as pc

        key = self._columns.file
        if not key or key in self._fields:
            return None
        images = batch[self._images[0]]
        if images.type.get_field_index("path") < 0:
            raise UsageError(
                f"task.hub={self.name}: the images have no file names: neither a path beside their bytes, "
                f"nor a column {' or '.join(self._columns.fields[key])}"
            )
        paths = pc.struct_field(images, "path").to_pylist()
        return [PurePosixPath((path or "").replace("\\", "/")).name for path in paths]

    def _locations(self, own: str, start: int, batch: Table, part: int) -> list[ImageLocation | None]:
        """Locate image number ``part`` of each row, without reading any.

        Raises:
            MmulbenchError: if the column does not hold images.
        """
        column = self._images[part]
        _, sizes = self._contents(own, column, batch)
        each = self._each(column)
        digests = self._digests[own, column][start * each : (start + len(batch)) * each]
        first, inner = (part, part) if each > 1 else (0, None)
        return [
            None if size is None else ImageLocation(own, start + row, column, inner, size, digest)
            for row, (size, digest) in enumerate(zip(sizes[first::each], digests[first::each], strict=True))
        ]

    def _contents(self, own: str, column: str, batch: Table) -> tuple[Any, list[int | None]]:
        """Return the bytes of a column's images, those of each row's list after one another, and their sizes.

        Sizes come from offsets: no image is read before its bytes are.

        Raises:
            MmulbenchError: if the column does not hold images.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        values = batch[column]
        where = f"{self.name}, split {own}: the column {column} holds"
        try:
            if (count := self._each(column)) > 1:
                if set(pc.list_value_length(values).to_pylist()) != {count}:
                    raise MmulbenchError(f"{where} lists of other than {count} images")
                values = pc.list_flatten(values)
            contents = pc.struct_field(values, "bytes")
            return contents, pc.binary_length(contents).to_pylist()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise MmulbenchError(f"{where} {batch[column].type}, not images") from error

    def _each(self, column: str) -> int:
        """Return the number of images in a row of a column: 1, or all of the unit's in a list."""
        return self._images.count(column)

    def _where(self, own: str, row: int) -> str:
        return f"{self.name}, split {own}, row {row}"


def _digest(content: Any) -> str:
    """Return the SHA-256 of an image's bytes, without copying them; nothing where there are none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()
