"""Hold what a table says of pictures, units and pairs before pixels are looked at, and say it in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmulbench import Integers
from mmulbench.tasks._official.pair_table import SPLITS
from mmulbench.tasks._tables.arrangement import Rows, counted
from mmulbench.tasks._tables.column_values import ColumnValues
from mmulbench.tasks._tables.named_pictures import Pictures
from mmulbench.tasks._tables.table_data import Pairs, UnitNames
from mmulbench.tasks._tables.table_source import TableSource

SAMPLES = 10
"""Number of pairs that a check shows."""


@dataclass(frozen=True)
class Reading:
    """Holds everything about a table but the pixels of its pictures.

    Attributes:
        source: the table, and where its pictures are.
        rows: what its rows say of pictures, units and splits.
        owners: (m,) forget unit of each item.
        pictures: the pictures.
        torn: units in several splits, a line each.
        pairs: items and pairs.
    """

    source: TableSource
    rows: Rows
    owners: Integers
    pictures: Pictures
    torn: Sequence[str]
    pairs: Pairs

    def unit_names(self) -> list[str]:
        """Return what the table calls the unit of each item: by its column, or as its picture is called."""
        first = self.rows.first_rows(self.rows.items).tolist()
        return [self.rows.units[row] or self.rows.written[row] for row in first]

    def named_units(self) -> UnitNames:
        """Say what the units of the pairs' items are called."""
        names = self.unit_names()
        different = dict[str, int]()
        codes = [different.setdefault(names[item], len(different)) for item in self.pairs.items.tolist()]
        return UnitNames(
            ColumnValues(list(different), np.array(codes, dtype=np.int64)),
            counted(self.owners[self.pairs.items]),
            self._other_names(names),
        )

    def _other_names(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Return the names of copies, and the pairs' items that they are of or, of one in a pair, a part of.

        Args:
            names: name of the unit of each item of the rows.
        """
        place = {item: number for number, item in enumerate(self.pairs.items.tolist())}
        found, holders = dict[str, dict[int, None]](), dict[str, dict[int, None]]()
        for row, item in enumerate(self.rows.items.tolist()):
            name = self.rows.units[row] or self.rows.written[row]
            if name != names[item] and item in place:
                found.setdefault(name, {})[place[item]] = None
        for number, unit in enumerate(self.pairs.annotations.units):
            for part in unit if len(unit) > 1 else ():
                holders.setdefault(part, {})[number] = None
        for name, other in self.pictures.copies:
            if other in holders:
                found.setdefault(name, {}).update(holders[other])
        return {name: list(items) for name, items in found.items()}


def units_line(found: Reading) -> list[str]:
    """Say how many units the items of training are of, where that is fewer."""
    train = found.pairs.annotations.splits["train"]
    items = found.pairs.items[train.units]
    units = len(np.unique(found.owners[items]))
    return (
        [f"train: {units:,} units, which --forget-size counts, of {len(items):,} items"]
        if units < len(items)
        else []
    )


def shared_line(found: Reading) -> list[str]:
    """Say which pictures are in items of several splits, as those that are in several pairs may be."""
    annotations, homes = found.pairs.annotations, dict[str, dict[str, None]]()
    for split in SPLITS:
        for unit in annotations.splits[split].units.tolist():
            for name in annotations.units[unit]:
                homes.setdefault(name, {})[split] = None
    shared = [name for name, splits in homes.items() if len(splits) > 1]
    if not shared:
        return []
    where = " and ".join(homes[shared[0]])
    return [
        f"pictures in several splits: {len(shared):,}, such as {shared[0]} in {where}: what is deleted "
        "with one pair of pictures is still there with another"
    ]


def sample(found: Reading, sizes: Mapping[str, str]) -> list[str]:
    """Describe a few training pairs: pictures with their sizes, text, label and unit.

    Args:
        found: what was read of a table.
        sizes: size of each picture by its name, as text.
    """
    annotations, names = found.pairs.annotations, found.unit_names()
    train = annotations.splits["train"]
    lines = []
    for row in np.linspace(0, len(train) - 1, min(SAMPLES, len(train))).astype(int):
        unit, text = train.first[row], annotations.texts[train.second[row]]
        pictures = " + ".join(
            f"{name} ({sizes.get(name, 'not decoded')})" for name in annotations.units[unit]
        )
        label = "" if train.label is None else f", label {found.pairs.classes[train.label[row]]}"
        lines.append(f"{pictures}: {text}{label}, unit {names[found.pairs.items[unit]]}")
    return lines
