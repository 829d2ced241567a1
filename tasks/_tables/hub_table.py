"""Make a table of a data set that the library `datasets` reads: on a hub, or a folder of parquet files."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from mmulbench import MmulbenchError, Progress, UsageError
from mmulbench.tasks._official import hub_open
from mmulbench.tasks._official.hub_rows import NO_LABEL, ColumnNames, HubData, HubImage, HubRow, ImageLocation
from mmulbench.tasks._tables.columns import GUESSES, NONE, listed
from mmulbench.tasks._tables.table_file import Table, plain_value, texts
from mmulbench.tasks._tables.table_source import TableSource

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("image_name", "file_name", "filename", "image_id")
"""Columns that may name the pictures; otherwise they are called as the files that they were."""

IMAGES = ("image", "image2")
"""What holds pictures, not texts, in this order."""

OTHERWISE = "a table of your own does as well: --set task.table=FILE"

DIGITS = 12
"""Number of digits of a digest that tell pictures of one name, or of none, apart."""


class TableHub(HubData):
    """Reads a data set that need not have all splits, and whose pictures need no names."""

    def _check_splits(self) -> None:
        """Take the splits that there are."""

    def column_of(self, role: str) -> str:
        """Return the column that holds something."""
        return self._images[IMAGES.index(role)] if role in IMAGES else self._fields[role]

    def _files(self, batch: pa.Table) -> list[str] | None:
        """Return the file names stored with the images, where all have one."""
        try:
            files = super()._files(batch)
        except UsageError:
            return None
        return files if files is not None and all(files) else None


@dataclass(frozen=True)
class HubTable(Table):
    """Holds the rows of a data set.

    Attributes:
        places: (n,) place of each row, for messages.
    """

    places: tuple[str, ...] = ()

    def where(self, row: int) -> str:
        """Return the place of a row."""
        return self.places[row]


def open_hub_table(
    name: str, named: Mapping[str, str], optional: frozenset[str], progress: Progress
) -> TableSource:
    """Read the annotations of a data set.

    Pictures are called as a column says, or as the files that they were before; those without a name are
    called by their content, and those whose name others have too by both.

    Args:
        name: path of a folder of parquet files, or ``owner/name`` or ``owner/name@revision`` on a hub.
        named: by what is looked for, the name that the user says, or nothing.
        optional: what may be missing.
        progress: shows bars.

    Raises:
        UsageError: if the data set cannot be found, or lacks a column.
        MmulbenchError: if it is damaged.
    """
    try:
        hub, further = _opened(name, named, optional, progress)
        read = progress.track(hub.rows(), len(hub), "read annotations")
        rows = [single for row in read for single in _singles(row)]
    except MmulbenchError as error:
        raise type(error)(str(error).replace("task.hub=", "--set task.table=")) from error
    names, locations = _pictures(rows, sum(role in named for role in IMAGES))
    roles = [role for role in named if role not in IMAGES and all(role in row.row.fields for row in rows)]
    columns = {column: texts([_cell(row, column) for row in rows]) for column in [*roles, *further]}
    columns |= {role: texts(found) for role, found in zip(IMAGES, zip(*names, strict=True), strict=False)}
    if named["split"] != NONE:
        columns.setdefault("split", texts([row.split for row in rows]))
    places, numbers = tuple(row.row.where for row in rows), np.arange(len(rows), dtype=np.int64)
    table = HubTable(name, columns, numbers, {}, has_lines=False, places=places)

    def find(image: str) -> HubImage | None:
        return HubImage(hub, locations[image]) if image in locations else None

    used = {role: role for role in columns if role in named}
    guessed = {role: hub.column_of(role) for role in used if not named[role] and role != "split"}
    return TableSource(table, used, guessed, PurePath(name), find)


def _columns(named: Mapping[str, str], optional: frozenset[str], further: Sequence[str]) -> ColumnNames:
    """Return the names under which columns are looked for.

    Args:
        named: by what is looked for, the name that the user says, or nothing.
        optional: what may be missing.
        further: columns that are read as they are.
    """
    guesses = {role: (given,) if given else GUESSES.get(role, ()) for role, given in named.items()}
    fields = {role: names for role, names in guesses.items() if role not in IMAGES and names}
    return ColumnNames(
        fields={**fields, "name": NAMES, **{column: (column,) for column in further}},
        images=tuple(guesses[role] for role in IMAGES if role in named),
        optional=optional | {"name", "split"},
        labels=frozenset({"label"} & fields.keys()),
        file="name",
    )


def _opened(
    name: str, named: Mapping[str, str], optional: frozenset[str], progress: Progress
) -> tuple[TableHub, list[str]]:
    """Open a data set as `open_hub` does, with what `TableHub` lets through.

    Returns:
        The data set, and the columns of single values that it has besides.

    Raises:
        UsageError: if it cannot be found, or is not of a form that is read.
        MmulbenchError: if it is damaged.
    """
    try:
        import datasets
    except ImportError as error:
        raise UsageError(
            f"--set task.table={name} needs the package datasets: run {hub_open.HUB_INSTALL}; or {OTHERWISE}"
        ) from error
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    place = hub_open._located(name, OTHERWISE, progress.track)
    splits = hub_open._splits(name, hub_open._builder(name, place, OTHERWISE))
    features = next(iter(splits.values())).features
    single = [
        one for one, kind in features.items() if isinstance(kind, datasets.Value) and kind.dtype != "binary"
    ]
    further = [one for one in single if one not in named and one != "name"]
    hub = TableHub(name, splits, _columns(named, optional, further), progress.track)
    if not hub.has_images:
        wanted = " and ".join(named[role] or " or ".join(GUESSES[role]) for role in IMAGES if role in named)
        raise UsageError(
            f"task.hub={name} has no column {wanted}: name it, --set task.image=COLUMN; "
            f"{listed(list(features))}"
        )
    return hub, further


def _singles(row: HubRow) -> list[HubRow]:
    """Return a row for each text of a row, which may have a list of them.

    Raises:
        MmulbenchError: if anything else that is used is no single value.
    """
    texts_of_row = row.row.fields.get("text")
    several = texts_of_row if isinstance(texts_of_row, list) else [texts_of_row]
    fields = [
        {**row.row.fields, "text": text} if "text" in row.row.fields else row.row.fields for text in several
    ]
    for one in fields:
        for name, value in one.items():
            if isinstance(value, list | dict):
                raise MmulbenchError(
                    f"{row.row.where}: the {name} must be a single value, not {type(value).__name__}"
                )
    return [row._replace(row=row.row._replace(fields=one)) for one in fields]


def _cell(row: HubRow, role: str) -> str:
    """Return a value as text; a label that stands for none is empty."""
    text = plain_value(row.row.fields[role])
    return "" if role == "label" and text == NO_LABEL else text


def _pictures(rows: Sequence[HubRow], parts: int) -> tuple[list[tuple[str, ...]], dict[str, ImageLocation]]:
    """Give a name to every picture that no other picture has.

    Args:
        rows: all rows.
        parts: number of pictures of a row.

    Returns:
        By row, the names of its pictures, empty where there is none; and where they are, by name.
    """
    digests: dict[str, set[str]] = {}
    for row in rows:
        for part, image in enumerate(row.images):
            if image is not None:
                digests.setdefault(_said(row, part, parts), set()).add(image.digest)
    names, locations = list[tuple[str, ...]](), dict[str, ImageLocation]()
    for row in rows:
        found = ["" for _ in row.images]
        for part, image in enumerate(row.images):
            if image is not None:
                name = _said(row, part, parts)
                several = len(digests[name]) > 1 or not name
                found[part] = f"{name}{'@' if name else ''}{image.digest[:DIGITS]}" if several else name
                locations.setdefault(found[part], image)
        names.append(tuple(found))
    return names, locations


def _said(row: HubRow, part: int, parts: int) -> str:
    """Return what a data set calls a picture; nothing where it has no name for each."""
    name = plain_value(row.row.fields.get("name")) if parts == 1 else ""
    return name.replace("\\", "/").rpartition("/")[2] if part == 0 else ""
