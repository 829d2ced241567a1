"""Tell which rows of a table are of one picture, which pictures of one unit, and which units of one split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mmulbench import Integers, MmulbenchError, generator
from mmulbench.errors import did_you_mean
from mmulbench.tasks._official.hub_rows import SPLIT_OF
from mmulbench.tasks._official.pair_table import Unit

SPLIT_NAMES = {
    **SPLIT_OF,
    "training": "train",
    "valid": "validation",
    "eval": "validation",
    "testing": "test",
}
"""Split by the names that tables have for it, in small letters."""


@dataclass(frozen=True)
class Rows:
    """Holds what each of n rows of a table says of pictures, units and splits.

    Attributes:
        written: (n,) name of the row's pictures as the table has them.
        items: (n,) item of each row: pictures of the same content are one.
        names: content of each item: names of its pictures, of several names of one the first by alphabet.
        units: (n,) unit that the row names; empty where its item is one by itself.
        splits: (n,) split that the row names; nothing where the table has none.
        where: gives the place of a row, for messages.
    """

    written: Sequence[str]
    items: Integers
    names: Sequence[Unit]
    units: Sequence[str]
    splits: Sequence[str]
    where: Callable[[int], str]

    def first_rows(self, owners: Integers) -> Integers:
        """Return the first row of each owner.

        Args:
            owners: (n,) owner of each row, counted from 0 without gaps.
        """
        return np.unique(owners, return_index=True)[1]


def owners_of(rows: Rows) -> Integers:
    """Return the forget unit of each item.

    Items of one unit of the table have one owner, and so have all units that a picture is in under different
    names.

    Args:
        rows: the rows.

    Returns:
        (m,) owners, counted from 0 by their first rows.

    Raises:
        MmulbenchError: if one name of pictures is in two units.
    """
    named = dict[str, int]()
    first = dict[str, int]()
    links = list[tuple[int, int]]()
    for row, (item, unit, written) in enumerate(
        zip(rows.items.tolist(), rows.units, rows.written, strict=True)
    ):
        before = first.setdefault(written, row)
        if rows.units[before] != unit:
            raise MmulbenchError(
                f"{rows.where(row)}: {written} is of the unit {unit!r}, but of {rows.units[before]!r} at "
                f"{rows.where(before)}: it can be of one"
            )
        if unit and before == row:
            links.append((item, len(rows.names) + named.setdefault(unit, len(named))))
    total = len(rows.names) + len(named)
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), dtype=np.int8), (ends[:, 0], ends[:, 1])), (total, total))
    found = connected_components(graph, directed=False)[1][: len(rows.names)].astype(np.int64)
    return counted(found)


def counted(values: Integers) -> Integers:
    """Give numbers from 0 to values, by their first appearance.

    Args:
        values: (n,) any integers.
    """
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse.reshape(-1)]


def splits_of(rows: Rows) -> list[str]:
    """Return the split of each row by the name that this project has for it; nothing where none is named.

    Raises:
        MmulbenchError: if a split is unknown.
    """
    known = {name: SPLIT_NAMES.get(name.strip().lower(), "") for name in set(rows.splits)}
    for row, name in enumerate(rows.splits):
        if not known[name]:
            raise MmulbenchError(
                f"{rows.where(row)}: unknown split {name!r}{did_you_mean(name.lower(), SPLIT_NAMES)} "
                "(--set task.split=- draws splits)"
            )
    return [known[name] for name in rows.splits]


def torn(rows: Rows, owners: Integers, splits: Sequence[str]) -> list[str]:
    """Say of every unit that is in several splits where it is, in a line each.

    Args:
        rows: the rows.
        owners: (m,) owner of each item.
        splits: (n,) split of each row.
    """
    lines, homes, said = list[str](), dict[int, int](), set[int]()
    for row, item in enumerate(rows.items.tolist()):
        owner = int(owners[item])
        first = homes.setdefault(owner, row)
        if splits[row] != splits[first] and owner not in said:
            said.add(owner)
            lines.append(_torn_line(rows, splits, first, row))
    return lines


def _torn_line(rows: Rows, splits: Sequence[str], first: int, row: int) -> str:
    """Say how two rows of different splits belong together."""
    ours, theirs = rows.written[row], rows.written[first]
    there = f"in {splits[first]} at {rows.where(first)}: keep it in one split"
    if ours == theirs:
        return f"{rows.where(row)}: {ours} is in the split {splits[row]}, but {there}"
    if rows.items[row] == rows.items[first]:
        return (
            f"{rows.where(row)}: {ours}, in the split {splits[row]}, is the same picture as {theirs}, {there}"
        )
    named = rows.units[row] or rows.units[first]
    place = f"{rows.where(row)}: {ours} of the unit {named!r} is in the split {splits[row]}"
    return f"{place}, but {theirs} is {there}"


@dataclass(frozen=True)
class Shares:
    """Says how splits are drawn where a table has none.

    Attributes:
        validation: part of the units that is for validation.
        test: part of the units that is for test.
        seed: seed of the draw.
    """

    validation: float
    test: float
    seed: int

    def drawn(self, rows: Rows, owners: Integers, splits: Sequence[str] = ()) -> list[str]:
        """Draw the splits of all rows, or those for validation from rows of training.

        Which units are drawn depends on their names alone, not on the order of the rows.

        Args:
            rows: the rows.
            owners: (m,) owner of each item.
            splits: (n,) split of each row, of which validation is drawn from ``train``; empty: all are drawn.

        Returns:
            (n,) split of each row.

        Raises:
            MmulbenchError: if there are too few units.
        """
        by_row = owners[rows.items]
        free = np.flatnonzero(np.array(splits) == "train") if splits else np.arange(len(by_row))
        names = dict[int, str]()
        for row in free.tolist():
            name = rows.units[row] or "\0".join(rows.names[rows.items[row]])
            owner = int(by_row[row])
            names[owner] = min(names.get(owner, name), name)
        order = generator(self.seed, "own split").permutation(sorted(names, key=names.__getitem__))
        shares = {"validation": self.validation, **({} if splits else {"test": self.test})}
        counts = {split: max(1, round(share * len(order))) for split, share in shares.items()}
        if len(order) - sum(counts.values()) < 2:
            raise MmulbenchError(
                f"{len(order)} units are too few to draw {' and '.join(counts)} from: training needs two more"
            )
        home = dict.fromkeys(order.tolist(), "train")
        start = 0
        for split, count in counts.items():
            home |= dict.fromkeys(order[start : start + count].tolist(), split)
            start += count
        return [
            home.get(owner, before)
            for owner, before in zip(by_row.tolist(), splits or [""] * len(by_row), strict=True)
        ]
