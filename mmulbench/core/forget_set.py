"""Say which training pairs are to be forgotten: whole units, or single associations of units that stay."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mmulbench.core.data import Integers, Split


@dataclass(frozen=True)
class ForgetSet:
    """Holds what a run forgets of a training split.

    Attributes:
        units: (u,) the units that have pairs to forget, in the order of their choice.
        rows: (n,) rows of the training split whose pairs are forgotten while the units' other pairs stay, in
            any order; None: all pairs of the units.
    """

    units: Integers
    rows: Integers | None = None

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.units)

    def forgotten(self, train: Split) -> Split:
        """Return the pairs of the forget set Df."""
        return train.only(self.units) if self.rows is None else train.at(self._mask(train))

    def kept(self, train: Split) -> Split:
        """Return the pairs of the retain set Dr."""
        return train.without(self.units) if self.rows is None else train.at(~self._mask(train))

    @cached_property
    def key(self) -> Mapping[str, Any]:
        """What caches know the forget set by, whatever the order."""
        units = {"forget": _digest(self.units)}
        return units if self.rows is None else {**units, "forget_rows": _digest(self.rows)}

    def _mask(self, train: Split) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        mask = np.zeros(len(train), dtype=bool)
        mask[self.rows] = True
        return mask


def _digest(numbers: Integers) -> str:
    """Return the SHA-256 of integers in any order."""
    return hashlib.sha256(np.sort(numbers).tobytes()).hexdigest()
