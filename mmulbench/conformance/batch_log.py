"""Watch which batches a method takes, to find passes over a set that end in a small rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields

import numpy as np

from mmulbench.core.data import Batch, Integers, PairData


class BatchLog:
    """Notes the batches that are taken of some sets, in their order."""

    def __init__(self) -> None:
        self._taken: list[tuple[PairData, Integers]] = []

    def note(self, data: PairData, positions: Integers) -> None:
        """Note a batch.

        Args:
            data: set that it is taken of.
            positions: (b,) rows of the set's split.
        """
        self._taken.append((data, np.asarray(positions)))

    def __bool__(self) -> bool:
        return bool(self._taken)

    def passes(self) -> list[tuple[int, ...]]:
        """Return the sizes of the batches of every whole pass over a set: each pair, or each unit, once."""
        found: dict[tuple[int, ...], None] = {}
        for split in {id(data.split): data.split for data, _ in self._taken}.values():
            taken = [(data.sampling, positions) for data, positions in self._taken if data.split is split]
            found |= dict.fromkeys(_whole_passes((rows for _, rows in taken), len(split)))
            by_unit = (split.first[rows] for sampling, rows in taken if sampling == "unit")
            found |= dict.fromkeys(_whole_passes(by_unit, len(split.units)))
        return list(found)

    def uneven(self) -> list[tuple[int, ...]]:
        """Return the passes of which one batch is smaller than another by more than a pair."""
        return [sizes for sizes in self.passes() if max(sizes) - min(sizes) > 1]


@dataclass(frozen=True)
class WatchedPairs(PairData):
    """Notes every batch that is taken of a set, or of a part of it that a method makes by ``replace``.

    Attributes:
        log: where batches are noted.
    """

    log: BatchLog = field(default_factory=BatchLog)

    def batch(self, positions: Integers) -> Batch:
        """Return the batch at these positions of the split, and note it.

        Args:
            positions: (b,) rows of ``split``.
        """
        self.log.note(self, positions)
        return super().batch(positions)


def watched(data: PairData, log: BatchLog) -> WatchedPairs:
    """Return a set whose batches are noted.

    Args:
        data: the set.
        log: where they are noted.
    """
    return WatchedPairs(**{one.name: getattr(data, one.name) for one in fields(PairData)}, log=log)


def _whole_passes(batches: Iterable[Integers], whole: int) -> Iterator[tuple[int, ...]]:
    """Yield the sizes of batches in a row that share nothing and together hold everything.

    Args:
        batches: what each batch holds, in the order in which they were taken.
        whole: number of different things there are.
    """
    current: list[Integers] = []
    for batch in batches:
        while current and np.isin(np.concatenate(current), batch).any():
            current.pop(0)
        current.append(batch)
        if sum(map(len, current)) == whole:
            yield tuple(map(len, current))
            current = []
