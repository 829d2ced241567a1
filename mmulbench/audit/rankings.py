"""Find what the models rank first for the chosen units: the numbers in the file, as texts and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmulbench.audit.examples import Ranked, Ranking
from mmulbench.audit.items import Item, item_of
from mmulbench.core.model import CLASSIFICATION
from mmulbench.records.rankings import MODELS

if TYPE_CHECKING:
    import pyarrow as pa

    from mmulbench.core.data import Split
    from mmulbench.core.task import Task, TaskData

SMALL = 40
"""Most pixels of a side of what is found."""

Row = Mapping[str, Any]
"""A first place, as of `mmulbench.records.rankings.flat`."""


@dataclass(frozen=True)
class Rankings:
    """Shows first places by the task's data.

    Attributes:
        task: the task.
        data: its data.
        forgotten: pairs of the forget set.
        seen: items that were looked at, by side and number, so that each is made small once.
    """

    task: Task
    data: TaskData
    forgotten: Split
    seen: dict[tuple[int, int], Item] = field(default_factory=dict)

    def fault(self, places: pa.Table) -> str:
        """Say which first place the data or the forget set do not have; empty where they have all.

        Args:
            places: as of `mmulbench.records.rankings.flat`.
        """
        sizes = [len(self.data.items[modality]) for modality in self.task.modalities]
        columns = places.select(["unit", "path", "side", "item", "found"]).to_pydict()
        pairs = set(zip(self.forgotten.first.tolist(), self.forgotten.second.tolist(), strict=True))
        units = {first for first, _ in pairs}
        for unit, path, side, item, found in zip(*columns.values(), strict=True):
            classes = path == CLASSIFICATION
            if classes != bool(self.task.classes):
                return f"the path {path} is not of this task"
            asks_pair = classes or side == 1
            if ((unit, item) not in pairs) if asks_pair else (unit != item or unit not in units):
                return f"unit {unit} with item {item} is not in the forget set"
            what, most = ("class", len(self.task.classes)) if classes else ("item", sizes[1 - side])
            if found >= most:
                return f"there is no {what} {found}: there are {most:,}, the first is 0"
        return ""

    def of(self, places: pa.Table, units: Sequence[int]) -> dict[int, tuple[Ranking, ...]]:
        """Return what is ranked first for each of some units: on each path for it, on the last for its text.

        Args:
            places: as of `mmulbench.records.rankings.flat`, without a fault.
            units: the units.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        rows: list[Row] = places.filter(pc.is_in(places["unit"], pa.array(units, pa.int64()))).to_pylist()
        last = max((row["path"] for row in rows), default="")
        asked: dict[tuple[int, int, str, int], list[Row]] = {}
        for row in rows:
            if row["side"] == 0 or row["path"] == last:
                asked.setdefault((row["unit"], row["side"], row["path"], row["item"]), []).append(row)
        found: dict[int, list[Ranking]] = {unit: [] for unit in units}
        for (unit, side, path, item), of_query in sorted(asked.items(), key=lambda one: one[0][:3]):
            found[unit].append(self._ranking(side, path, item, of_query))
        return {unit: tuple(of_unit) for unit, of_unit in found.items()}

    def _ranking(self, side: int, path: str, item: int, rows: Sequence[Row]) -> Ranking:
        ordered = sorted(rows, key=lambda row: row["place"])
        by_model = (tuple(self._ranked(row) for row in ordered if row["model"] == name) for name in MODELS)
        before, after, retrain = by_model
        return Ranking(self._title(side, path, item), before, after, retrain)

    def _title(self, side: int, path: str, item: int) -> str:
        own, other = (self.task.modalities[one] for one in (side, 1 - side))
        if path == CLASSIFICATION:
            return f"Classes of {self._quoted(1, item)}"
        what = f"this {own}" if side == 0 else self._quoted(side, item)
        return f"{other.capitalize()}s for {what}, {path} path"

    def _quoted(self, side: int, item: int) -> str:
        text = self._item(side, item)[1]
        return f"“{text}”" if text else f"this {self.task.modalities[side]}"

    def _ranked(self, row: Row) -> Ranked:
        if row["path"] == CLASSIFICATION:
            return Ranked(self.task.classes[row["found"]], (), row["is_true"], row["probability"])
        pictures, text = self._item(1 - row["side"], row["found"])
        return Ranked(text, pictures, row["is_true"], None)

    def _item(self, side: int, item: int) -> Item:
        """Return what an item looks like and says; of a picture without words, what belongs to it."""
        if (side, item) not in self.seen:
            pictures, text = item_of(self.data.items[self.task.modalities[side]], item, side=SMALL)
            self.seen[side, item] = pictures, text or self._belonging(side, item)
        return self.seen[side, item]

    def _belonging(self, side: int, item: int) -> str:
        """Return the first text of the other modality that belongs to an item; empty where it has none."""
        items = self.data.items[self.task.modalities[1 - side]]
        for split in (self.data.train, self.data.validation, self.data.test):
            own, other = (split.first, split.second) if side == 0 else (split.second, split.first)
            rows = np.flatnonzero(own == item)
            if len(rows) and items.texts is not None:
                return item_of(items, int(other[rows[0]]), side=SMALL)[1]
        return ""
