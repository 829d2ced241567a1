"""Pairs, splits and batches: items are held once, everything else is indices into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Inputs = dict[str, Tensor]
"""What an encoder reads, by name; every tensor's first dimension runs over items."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """True pairs: row i says that item ``first[i]`` of the first modality belongs with ``second[i]``.

    The forget unit is an item of the first modality together with all its pairs.

    Attributes:
        first: (n,) item indices of the first modality.
        second: (n,) item indices of the second modality.
        rows: (n,) each pair's row in the split this one was taken from.
    """

    first: Integers
    second: Integers
    rows: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.first.shape != self.second.shape or self.first.ndim != 1:
            raise ValueError(f"first {self.first.shape} and second {self.second.shape} must be equal vectors")
        if len(self.rows) != len(self.first):
            object.__setattr__(self, "rows", np.arange(len(self.first), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def units(self) -> Integers:
        """(u,) the forget units (first-modality items), ascending."""
        return np.unique(self.first)

    def only(self, units: Integers) -> Split:
        """The pairs of these units, with their rows in the original split."""
        return self._where(np.isin(self.first, units))

    def without(self, units: Integers) -> Split:
        """The pairs of all other units, with their rows in the original split."""
        return self._where(~np.isin(self.first, units))

    def _where(self, keep: NDArray[np.bool_]) -> Split:
        return Split(self.first[keep], self.second[keep], self.rows[keep])


class Relations:
    """Which pairs are true: membership in a sorted list of pair keys, so memory grows with pairs only."""

    def __init__(self, *splits: Split) -> None:
        first = np.concatenate([split.first for split in splits])
        second = np.concatenate([split.second for split in splits])
        self._width = int(second.max()) + 1 if len(second) else 1
        self._keys = torch.from_numpy(np.unique(first * self._width + second))

    def matrix(self, first: Tensor, second: Tensor) -> Tensor:
        """(a, b) bool: does item ``first[i]`` belong with item ``second[j]``?"""
        return self._contains(first[:, None], second[None, :])

    def pairwise(self, first: Tensor, second: Tensor) -> Tensor:
        """(n,) bool: does item ``first[i]`` belong with item ``second[i]``?"""
        return self._contains(first, second)

    def _contains(self, first: Tensor, second: Tensor) -> Tensor:
        keys = first.cpu() * self._width + second.cpu()
        place = torch.searchsorted(self._keys, keys).clamp_(max=len(self._keys) - 1)
        inside = (second.cpu() < self._width).expand_as(keys)
        return (self._keys[place] == keys) & inside


def unrelated_pairs(source: Split, relations: Relations, count: int, tries: int = 100) -> Split:
    """Draw pairs of a split's items that do not belong together, with torch's global generator.

    Args:
        source: whose items are re-paired; frequent items are drawn more often.
        relations: the true pairs, never drawn.
        count: how many pairs.
        tries: rounds of drawing before giving up.

    Raises:
        ValueError: when hardly any two items are unrelated, as in a set of a single unit.
    """
    first, second = torch.from_numpy(source.first), torch.from_numpy(source.second)
    found: list[tuple[Tensor, Tensor]] = []
    missing = count
    for _ in range(tries):
        left = first[torch.randint(len(first), (count,))]
        right = second[torch.randint(len(second), (count,))]
        apart = ~relations.pairwise(left, right)
        found.append((left[apart], right[apart]))
        missing -= int(apart.sum())
        if missing <= 0:
            lefts, rights = (torch.cat(side)[:count].numpy() for side in zip(*found, strict=True))
            return Split(lefts, rights)
    raise ValueError(
        f"no unrelated pairs among {len(source.units)} forget units: draw partners from the retain set"
    )


@dataclass(frozen=True)
class Features:
    """Every item's model inputs, by modality: prepared once, read by index.

    Half-precision features are stored to save memory and handed out as float32.
    """

    arrays: Mapping[str, Inputs]
    device: torch.device

    def gather(self, modality: str, items: Tensor) -> Inputs:
        """Inputs of these items, on the device; floats as float32."""
        picked = {name: array[items] for name, array in self.arrays[modality].items()}
        return {
            name: (value.float() if value.dtype == torch.float16 else value).to(self.device)
            for name, value in picked.items()
        }


@dataclass(frozen=True)
class Batch:
    """A mini-batch of true pairs.

    Attributes:
        rows: (b,) rows in the training split; keys of the original's cached outputs.
        first: (b,) items of the first modality.
        second: (b,) items of the second modality.
        related: (b, b) bool, whether ``first[i]`` and ``second[j]`` belong together.
        features: where the items' inputs are.
        modalities: names of the two modalities.
    """

    rows: Tensor
    first: Tensor
    second: Tensor
    related: Tensor
    features: Features
    modalities: tuple[str, str]

    def __len__(self) -> int:
        return len(self.rows)

    def items(self, modality: str) -> Tensor:
        """(b,) the items of one modality."""
        return self.first if modality == self.modalities[0] else self.second

    def inputs(self, modality: str) -> Inputs:
        """The items' inputs; read only when asked for, since cached outputs often replace them."""
        return self.features.gather(modality, self.items(modality))


Sampling = Literal["unit", "pair"]


@dataclass(frozen=True)
class PairData:
    """A split with what turns its rows into batches.

    Attributes:
        split: the pairs.
        relations: all true pairs, so that no true pair serves as a negative.
        features: the items' inputs.
        modalities: names of the two modalities.
        sampling: ``unit``: an epoch visits every unit once with one of its pairs drawn at random;
            ``pair``: an epoch visits every pair once.
    """

    split: Split
    relations: Relations
    features: Features
    modalities: tuple[str, str]
    sampling: Sampling = "unit"

    def __len__(self) -> int:
        return len(self.split.units) if self.sampling == "unit" else len(self.split)

    def batch(self, positions: Integers) -> Batch:
        """The batch of these positions in the split."""
        first = torch.from_numpy(self.split.first[positions])
        second = torch.from_numpy(self.split.second[positions])
        return Batch(
            rows=torch.from_numpy(self.split.rows[positions]),
            first=first,
            second=second,
            related=self.relations.matrix(first, second).to(self.features.device),
            features=self.features,
            modalities=self.modalities,
        )

    def epoch(self, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """One shuffled pass; the last batch may be smaller."""
        order = self._draw(rng)
        for start in range(0, len(order), batch_size):
            yield self.batch(order[start : start + batch_size])

    def steps(self, batch_size: int) -> int:
        """Batches in one epoch."""
        return -(-len(self) // batch_size)

    def cycle(self, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Epochs without end."""
        while True:
            yield from self.epoch(batch_size, rng)

    def _draw(self, rng: np.random.Generator) -> Integers:
        if self.sampling == "pair":
            return rng.permutation(len(self.split)).astype(np.int64)
        by_unit = np.argsort(self.split.first, kind="stable")
        _, starts, counts = np.unique(self.split.first[by_unit], return_index=True, return_counts=True)
        picks = by_unit[starts + rng.integers(0, counts)]
        return rng.permutation(picks).astype(np.int64)


Report = Callable[[str], None]
"""Receives one line meant for the user."""
