"""Collect pairs of units and texts: repetitions are dropped and counted, splits are kept apart."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html.entities import html5

import numpy as np

from mmulbench import Integers, MmulbenchError, Split

SPLITS = ("train", "validation", "test")
"""Names of the splits, in their fixed order."""

ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
"""HTML entity; without a semicolon, as in ``R&D``, an ampersand is one."""

Unit = tuple[str, ...]
"""File names of the images, or ids of the nodes, that make up a forget unit."""


@dataclass(frozen=True)
class Annotations:
    """Holds everything about a data set but its pixels.

    Attributes:
        units: forget units, sorted; splits index them.
        texts: different texts; a text that several units have is one item.
        splits: pairs of each split in `SPLITS`.
        rows: by split, number of rows in the files, repeated and empty ones included.
        dropped: by reason, number of rows that were left out.
    """

    units: tuple[Unit, ...]
    texts: tuple[str, ...]
    splits: Mapping[str, Split]
    rows: Mapping[str, int]
    dropped: Mapping[str, int]


class PairTable:
    """Collects rows of all splits and makes annotations of them.

    The annotations do not depend on the order of the units, only on that of the rows of one unit.

    Attributes:
        rows: by split, number of rows so far.
        dropped: by reason, number of rows that were left out so far.
        folders: by image, the sub-folder that a row says it is in.
    """

    def __init__(self) -> None:
        self.rows = dict.fromkeys(SPLITS, 0)
        self.dropped: Counter[str] = Counter()
        self.folders: dict[str, str] = {}
        self._units: dict[Unit, int] = {}
        self._homes: list[tuple[str, str]] = []
        self._texts: dict[str, int] = {}
        self._labels: dict[tuple[int, int], int] = {}

    def add(self, split: str, unit: Unit, text: str, where: str, label: int = 0) -> None:
        """Add one row.

        Args:
            split: name of the row's split, one of `SPLITS`.
            unit: images or nodes of the row.
            text: text of the row, which is cleaned: HTML entities are replaced, white space is made one
                space, and half characters (lone surrogates) become question marks.
            where: file and line of the row, for messages.
            label: number of the row's class; 0 for retrieval.

        Raises:
            MmulbenchError: if the unit has been in another split.
        """
        self.rows[split] += 1
        text = clean(text)
        if not text:
            self.dropped["empty text"] += 1
            return
        key = self._unit(split, unit, where), self._texts.setdefault(text, len(self._texts))
        if key not in self._labels:
            self._labels[key] = label
        else:
            same = self._labels[key] == label
            self.dropped["repeated" if same else "repeated with another label; the first counts"] += 1

    def _unit(self, split: str, unit: Unit, where: str) -> int:
        """Return the number of a unit, and note the split that it is in.

        Raises:
            MmulbenchError: if the unit has been in another split.
        """
        index = self._units.setdefault(unit, len(self._units))
        if index == len(self._homes):
            self._homes.append((split, where))
        home, first = self._homes[index]
        if home != split:
            raise MmulbenchError(
                f"{where}: {unit[0]} is in the split {split}, but in {home} at {first}: keep it in one"
            )
        return index

    def units_of(self, split: str) -> list[Unit]:
        """List the units of a split so far, in the order of the files."""
        homes = zip(self._units, self._homes, strict=True)
        return [unit for unit, (home, _) in homes if home == split]

    def build(self, *, labelled: bool, limit: int = 0) -> Annotations:
        """Make the annotations, in an order that does not depend on that of the units in the files.

        Args:
            labelled: whether pairs have classes.
            limit: number of units to keep of each split, evenly spread; 0 keeps all.

        Raises:
            MmulbenchError: if a split has no pairs.
        """
        units = sorted(self._units)
        place = np.empty(len(units), dtype=np.int64)
        place[[self._units[unit] for unit in units]] = np.arange(len(units))
        keys = np.array(list(self._labels), dtype=np.int64).reshape(-1, 2)
        first, second = place[keys[:, 0]], keys[:, 1]
        label = np.fromiter(self._labels.values(), dtype=np.int64, count=len(keys))
        home = np.array([SPLITS.index(self._homes[self._units[unit]][0]) for unit in units], dtype=np.int64)
        kept = _spread(home, np.unique(first), limit)
        # The order of a unit's own rows stays; pairs are sorted by split, then by unit.
        order = np.lexsort((np.arange(len(first)), first, home[first] if len(first) else first))
        order = order[np.isin(first[order], kept)]
        first, second, label = np.searchsorted(kept, first[order]), second[order], label[order]
        names = list(self._texts)
        texts, second = _renumbered(second)
        part = home[kept][first]
        splits = {}
        for number, split in enumerate(SPLITS):
            rows = part == number
            if not rows.any():
                raise MmulbenchError(f"the annotations hold no pairs of the split {split}")
            splits[split] = Split(first[rows], second[rows], label[rows] if labelled else None)
        return Annotations(
            units=tuple(units[index] for index in kept),
            texts=tuple(names[index] for index in texts),
            splits=splits,
            rows=dict(self.rows),
            dropped=dict(self.dropped),
        )


def clean(text: str) -> str:
    """Replace HTML entities, make white space one space, and half characters question marks."""
    return " ".join(ENTITY.sub(_character, text).encode(errors="replace").decode().split())


def _character(entity: re.Match[str]) -> str:
    """Return what an entity stands for: itself where its name is unknown, as ``&region;`` is."""
    name = entity[0][1:]
    return html.unescape(entity[0]) if name.startswith("#") or name in html5 else entity[0]


def _spread(home: Integers, units: Integers, limit: int) -> Integers:
    """Choose the units to keep.

    Args:
        home: (u,) number of each unit's split.
        units: (n,) units that have pairs, ascending.
        limit: number of units to keep of each split; 0 keeps all.

    Returns:
        (m,) the units to keep, ascending.
    """
    if not limit:
        return units
    parts = [units[home[units] == number] for number in range(len(SPLITS))]
    places = [np.linspace(0, len(part) - 1, min(limit, len(part))).round().astype(np.int64) for part in parts]
    return np.sort(np.concatenate([part[place] for part, place in zip(parts, places, strict=True)]))


def _renumbered(values: Integers) -> tuple[Integers, Integers]:
    """Give numbers to values by their first appearance.

    Args:
        values: (n,) any integers.

    Returns:
        (m,) the different values in order of first appearance, and (n,) each value's place among them.
    """
    distinct, at, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(at)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return distinct[order], place[inverse.reshape(-1)]
