"""Say where a table comes from and where its pictures are: a file, a folder of pictures, or a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from mmulbench import UsageError
from mmulbench.tasks._official.images import Finder, StoredImage, safe_name
from mmulbench.tasks._tables.columns import find_columns
from mmulbench.tasks._tables.table_file import SUFFIXES, Table, read_table


@dataclass(frozen=True)
class TableSource:
    """Holds a table, the columns that are used, and where its pictures are.

    Attributes:
        table: the table.
        columns: name of the column by what it holds; what is not there is left out.
        guessed: those of the columns that the user did not name.
        images: folder or data set that has the pictures, for messages.
        find: finds a picture by a name that `plain_name` made; None where there is none.
    """

    table: Table
    columns: Mapping[str, str]
    guessed: Mapping[str, str]
    images: PurePath
    find: Callable[[str], StoredImage | None]

    def plain_name(self, name: str, where: str) -> str:
        """Return the name of a picture in its simplest form, without the folder that it is searched in.

        Args:
            name: name as the table has it.
            where: place of the name, for the message.

        Raises:
            MmulbenchError: if it leads out of the folder, or can be no name.
        """
        inside = PurePath(name)
        if inside.is_absolute() and inside.is_relative_to(self.images):
            name = str(inside.relative_to(self.images))
        return safe_name(name, where)


def open_table(table: Table, images: Path, named: Mapping[str, str], optional: frozenset[str]) -> TableSource:
    """Find the columns of a table whose pictures are files.

    Args:
        table: the table.
        images: folder that the names of the pictures are relative to.
        named: by what is looked for, the name that the user says, or nothing.
        optional: what may be missing.

    Raises:
        UsageError: if a column is missing, or the folder is not there.
    """
    columns = find_columns(table.name, table.names, table.nested, named, optional)
    if not images.is_dir():
        raise UsageError(f"--set task.images={images}: there is no such folder")
    guessed = {role: column for role, column in columns.items() if not named[role]}
    return TableSource(table, columns, guessed, images.absolute(), Finder(images))


def table_in(folder: Path, stem: str, encoding: str) -> Table | None:
    """Read the table of a folder that has this name; None where there is none.

    Args:
        folder: the folder.
        stem: name of the table without its suffix.
        encoding: encoding of a CSV or TSV; empty for UTF-8, or what a byte-order mark says.

    Raises:
        UsageError: if there are several, or there is no such encoding.
        MmulbenchError: if it cannot be read.
    """
    there = [folder / f"{stem}{suffix}" for suffix in SUFFIXES if (folder / f"{stem}{suffix}").is_file()]
    if len(there) > 1:
        raise UsageError(f"{folder} has both {there[0].name} and {there[1].name}: keep one")
    return read_table(there[0], encoding) if there else None
