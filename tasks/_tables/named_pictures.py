"""Find the pictures that a table names, and tell those that are the same by their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmulbench import Integers, MmulbenchError, Progress
from mmulbench.core.item_names import JOINED
from mmulbench.file_digests import Hints
from mmulbench.lfs_pointers import LFS_BYTES, LFS_PULL, is_lfs_pointer
from mmulbench.tasks._official.images import StoredImage, with_digests
from mmulbench.tasks._official.pair_table import Unit
from mmulbench.tasks._tables.table_source import TableSource


@dataclass(frozen=True)
class Named:
    """Holds what the rows of a table call their pictures.

    Attributes:
        written: (n,) name of each row's pictures, as the table has it.
        names: plain names of each row's pictures, by the number that ``codes`` gives.
        codes: (n,) number of each row's pictures among ``names``.
        first: row that names each picture first, by its plain name.
    """

    written: Sequence[str]
    names: Sequence[Unit]
    codes: Integers
    first: Mapping[str, int]


def named_pictures(source: TableSource, roles: Sequence[str]) -> Named:
    """Read the names of all pictures.

    Args:
        source: the table.
        roles: what holds the pictures of a row, in their order.

    Raises:
        MmulbenchError: if a row names none, or a name leads out of the folder.
    """
    table = source.table
    columns = [table.cells(source.columns[role]) for role in roles]
    plain, first = dict[str, str](), dict[str, int]()
    numbers, names, codes = dict[Unit, int](), list[Unit](), list[int]()
    for row, cells in enumerate(zip(*columns, strict=True)):
        for role, cell in zip(roles, cells, strict=True):
            if cell not in plain:
                if not cell.strip():
                    raise MmulbenchError(
                        f"{table.where(row)}: no picture in the column {source.columns[role]!r}"
                    )
                plain[cell] = source.plain_name(cell.strip(), table.where(row))
                first.setdefault(plain[cell], row)
        unit = tuple(plain[cell] for cell in cells)
        if unit not in numbers:
            numbers[unit] = len(names)
            names.append(unit)
        codes.append(numbers[unit])
    written = columns[0] if len(columns) == 1 else list(map(JOINED.join, zip(*columns, strict=True)))
    return Named(written, names, np.array(codes, dtype=np.int64), first)


@dataclass(frozen=True)
class Pictures:
    """Holds the pictures of a table.

    Attributes:
        stored: where each picture is stored, by its plain name; those that are missing are left out.
        same: name of the picture that stands for it, by plain name: of the same content, first by alphabet.
        faults: missing pictures, and those that Git LFS has not fetched, a line each.
    """

    stored: Mapping[str, StoredImage]
    same: Mapping[str, str]
    faults: Sequence[str]

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Pictures that others stand for: their names, and those of the others."""
        return [(name, other) for name, other in self.same.items() if name != other]

    def items(self, named: Named) -> tuple[list[Unit], Integers]:
        """Return the different contents, and which each row has.

        Args:
            named: names of the rows' pictures.

        Returns:
            Names of the pictures of each item, and (n,) the item of each row.
        """
        numbers = dict[Unit, int]()
        place = [
            numbers.setdefault(tuple(self.same[name] for name in unit), len(numbers)) for unit in named.names
        ]
        return list(numbers), np.array(place, dtype=np.int64)[named.codes]


def find_pictures(source: TableSource, named: Named, hints: Hints, progress: Progress) -> Pictures:
    """Find all pictures and take the digests of their contents, without decoding any.

    Args:
        source: says where pictures are.
        named: their names.
        hints: where digests are looked up and noted.
        progress: shows bars.

    Raises:
        MmulbenchError: if a picture cannot be read, or is a link that leads out of its folder.
    """
    names = sorted(named.first)
    found = {name: source.find(name) for name in progress.track(names, len(names), "find images")}
    faults, there = list[str](), dict[str, StoredImage]()
    for name, image in found.items():
        fault = "missing" if image is None else LFS_PULL if _is_pointer(image) else ""
        if fault or image is None:
            where = source.table.where(named.first[name])
            faults.append(f"{where}: {source.images / name} is {fault}")
        else:
            there[name] = image
    stored = dict(zip(there, with_digests(there, hints, progress.track), strict=True))
    first = dict[str, str]()
    same = {name: first.setdefault(image.digest, name) for name, image in stored.items()}
    return Pictures(stored, {name: same.get(name, name) for name in names}, faults)


def _is_pointer(image: StoredImage) -> bool:
    """Tell whether a picture is a Git LFS pointer; only files as small as one are read."""
    try:
        return image.size < LFS_BYTES and is_lfs_pointer(image.content())
    except OSError:  # what hashes it says why it cannot be read
        return False
