"""Pairs, splits and batches: items are held once, everything else is indices into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Inputs = dict[str, Tensor]
"""What an encoder reads, by name; every tensor's first dimension runs over items, except what belongs to a
whole graph (`Features.whole`)."""

Integers = NDArray[np.int64]


class Rows(Protocol):
    """Items' inputs that are read by index: a tensor, or `mmulbench.cache.tensor_files.RowsOnDisk`."""

    def __getitem__(self, index: Tensor, /) -> Tensor:
        """(*i, ...) the inputs of items (*i,)."""


@dataclass(frozen=True)
class Split:
    """True pairs: row i says that item ``first[i]`` of the first modality belongs with ``second[i]``.

    The forget unit is an item of the first modality together with all its pairs.

    Attributes:
        first: (n,) item indices of the first modality.
        second: (n,) item indices of the second modality.
        label: (n,) class of each pair, or None where the task is retrieval.
        rows: (n,) each pair's row in the split this one was taken from.
    """

    first: Integers
    second: Integers
    label: Integers | None = None
    rows: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.first.shape != self.second.shape or self.first.ndim != 1:
            raise ValueError(f"first {self.first.shape} and second {self.second.shape} must be equal vectors")
        if self.label is not None and self.label.shape != self.first.shape:
            raise ValueError(f"{self.label.shape} labels for {self.first.shape} pairs")
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
        label = None if self.label is None else self.label[keep]
        return Split(self.first[keep], self.second[keep], label, self.rows[keep])


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

    Returns:
        The pairs; each carries the label of the pair that its first item was taken from.

    Raises:
        ValueError: when hardly any two items are unrelated, as in a set of a single unit.
    """
    lefts: list[Integers] = []
    rights: list[Integers] = []
    missing = count
    for _ in range(tries):
        left, right = (torch.randint(len(source), (count,)).numpy() for _ in range(2))
        first, second = torch.from_numpy(source.first[left]), torch.from_numpy(source.second[right])
        apart = ~relations.pairwise(first, second).numpy()
        lefts.append(left[apart])
        rights.append(right[apart])
        missing -= int(apart.sum())
        if missing <= 0:
            left, right = np.concatenate(lefts)[:count], np.concatenate(rights)[:count]
            label = None if source.label is None else source.label[left]
            return Split(source.first[left], source.second[right], label)
    raise ValueError(
        f"no unrelated pairs among the items of {len(source.units)} units: draw partners from the retain set"
    )


@dataclass(frozen=True)
class Features:
    """Every item's model inputs, by modality: prepared once, read by index.

    Half-precision features are stored to save memory and handed out as float32.

    Attributes:
        arrays: by modality, the inputs of every image, text or node.
        device: where inputs are handed out.
        groups: by modality, (n, k) which k parts make up each item; absent where each part is an item.
        whole: by modality, inputs that belong to all items together, such as a graph's edges: handed out as
            they are, whichever items are asked for.
    """

    arrays: Mapping[str, Mapping[str, Rows]]
    device: torch.device
    groups: Mapping[str, Tensor] = field(default_factory=dict)
    whole: Mapping[str, Inputs] = field(default_factory=dict)

    def gather(self, modality: str, items: Tensor) -> Inputs:
        """Inputs of these items, on the device; floats as float32.

        Where an item is a group of k parts, the inputs are (b, k, …).
        """
        parts = self.groups[modality][items] if modality in self.groups else items
        picked = {name: array[parts] for name, array in self.arrays[modality].items()}
        picked |= self.whole.get(modality, {})
        return {
            name: (value.float() if value.dtype == torch.float16 else value).to(self.device)
            for name, value in picked.items()
        }


class Targets(NamedTuple):
    """What a batch of b pairs should be judged as.

    Attributes:
        related: (b, b) bool, whether item i of the first side and item j of the second belong together.
        labels: (b,) class of each pair, or None where the task is retrieval.
    """

    related: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """A mini-batch of true pairs.

    Attributes:
        rows: (b,) rows in the training split; keys of the original's cached outputs.
        first: (b,) items of the first modality.
        second: (b,) items of the second modality.
        targets: what the pairs should be judged as.
        features: where the items' inputs are.
        modalities: names of the two modalities.
    """

    rows: Tensor
    first: Tensor
    second: Tensor
    targets: Targets
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
        related = self.relations.matrix(first, second).to(self.features.device)
        labels = None
        if self.split.label is not None:
            labels = torch.from_numpy(self.split.label[positions]).to(self.features.device)
        return Batch(
            rows=torch.from_numpy(self.split.rows[positions]),
            first=first,
            second=second,
            targets=Targets(related, labels),
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
