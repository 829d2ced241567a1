"""Make a table of a folder of pictures in the layout that the library `datasets` calls imagefolder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmulbench import MmulbenchError
from mmulbench.tasks._official.hub_rows import SPLIT_OF
from mmulbench.tasks._tables.table_file import Table, texts
from mmulbench.tasks._tables.table_source import table_in

METADATA = "metadata"
"""Name of the table beside the pictures, without its suffix."""

FILE_NAME, LABEL, SPLIT = "file_name", "label", "split"
"""Names of the columns: that of the pictures is fixed by the layout, the others are those of folders."""

PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp")
"""Suffixes of the files that are pictures."""


@dataclass(frozen=True)
class JoinedTable(Table):
    """Holds the rows of several files.

    Attributes:
        files: (n,) file that each row is from.
    """

    files: tuple[str, ...] = ()

    def where(self, row: int) -> str:
        """Return the place of a row in its own file."""
        return (
            f"{self.files[row]}:{self.lines[row]}"
            if self.has_lines
            else f"{self.files[row]}: row {self.lines[row]}"
        )


def metadata_table(folder: Path, encoding: str) -> Table | None:
    """Read the table of a folder, or those of its folders ``train``, ``validation`` and ``test``.

    Args:
        folder: the folder.
        encoding: encoding of a CSV; empty for UTF-8, or what a byte-order mark says.

    Returns:
        The table, with names relative to the folder, and a column of splits where folders say them; None
        where there is none.

    Raises:
        UsageError: if there are several tables in a place.
        MmulbenchError: if one cannot be read, or they have different columns.
    """
    if (whole := table_in(folder, METADATA, encoding)) is not None:
        return whole
    found = [(part, table_in(part, METADATA, encoding)) for part in _split_folders(folder)]
    parts = [(part, table) for part, table in found if table is not None]
    return _joined(folder, parts) if parts else None


def class_table(folder: Path) -> Table | None:
    """Make a table of a folder whose pictures lie in a folder for each class, within each split perhaps.

    Args:
        folder: the folder.

    Returns:
        The table, in the order of the names; None where there are no such folders.
    """
    splits = _split_folders(folder)
    rows = list[tuple[str, str, str]]()
    for part in splits or [folder]:
        for kind in sorted(one for one in part.iterdir() if one.is_dir()):
            names = (file.relative_to(folder).as_posix() for file in _pictures(kind))
            rows += [(name, kind.name, part.name) for name in names]
    if not rows:
        return None
    columns = dict(zip((FILE_NAME, LABEL, SPLIT), map(texts, zip(*rows, strict=True)), strict=True))
    if not splits:
        del columns[SPLIT]
    return Table(str(folder), columns, np.arange(1, len(rows) + 1, dtype=np.int64), {}, has_lines=False)


def _pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures of a folder and its sub-folders, in the order of their names."""
    return (file for file in sorted(folder.rglob("*")) if file.suffix.lower() in PICTURES)


def _split_folders(folder: Path) -> list[Path]:
    """Return the folders that are named as splits are, where all are."""
    folders = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    return folders if all(one.name.lower() in SPLIT_OF for one in folders) else []


def _joined(folder: Path, parts: Sequence[tuple[Path, Table]]) -> Table:
    """Put the tables of the splits below one another.

    Raises:
        MmulbenchError: if they have different columns, or one has no names of files.
    """
    import pyarrow as pa

    first = parts[0][1]
    for _, table in parts:
        if set(table.columns) != set(first.columns):
            raise MmulbenchError(f"{table.name} has other columns than {first.name}: give them the same")
        if FILE_NAME not in table.columns:
            raise MmulbenchError(f"{table.name} has no column {FILE_NAME}, which the layout needs")
    columns = {
        name: pa.chunked_array(
            [chunk for _, table in parts for chunk in table.columns[name].chunks], pa.string()
        )
        for name in first.columns
    }
    names = [
        f"{part.name}/{cell}" if cell else "" for part, table in parts for cell in table.cells(FILE_NAME)
    ]
    splits = [part.name for part, table in parts for _ in range(len(table))]
    lines = np.concatenate([table.lines for _, table in parts])
    places = [table.name for _, table in parts for _ in range(len(table))]
    whole = {**columns, FILE_NAME: texts(names), SPLIT: texts(splits)}
    return JoinedTable(str(folder), whole, lines, first.nested, first.has_lines, tuple(places))
