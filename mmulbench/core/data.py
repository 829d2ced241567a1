"""Hold pairs, splits and batches: items are held once, everything else is indices into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

Inputs = dict[str, Tensor]
"""Inputs of an encoder by name. Every tensor's first dimension runs over items, except of what belongs to a
whole graph (`Features.whole`)."""

Integers = NDArray[np.int64]


class Rows(Protocol):
    """Describes inputs that are read by index: a tensor, or `mmulbench.cache.tensor_files.RowsOnDisk`."""

    def __getitem__(self, index: Tensor, /) -> Tensor:
        """Return the inputs (*i, …) of items (*i,)."""


@dataclass(frozen=True)
class Split:
    """Holds true pairs: row i says that item ``first[i]`` of the first modality belongs with ``second[i]``.

    The forget unit is an item of the first modality together with all its pairs.

    Attributes:
        first: (n,) item indices of the first modality.
        second: (n,) item indices of the second modality.
        label: (n,) class of each pair, or None where the task is retrieval.
        rows: (n,) row of each pair in the split that this one was taken from.
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
        """Return the pairs of these units, with their rows in the original split.

        Args:
            units: (u,) items of the first modality, in any order.
        """
        return self.at(np.isin(self.first, units))

    def without(self, units: Integers) -> Split:
        """Return the pairs of all other units, with their rows in the original split.

        Args:
            units: (u,) items of the first modality, in any order.
        """
        return self.at(~np.isin(self.first, units))

    def at(self, keep: NDArray[np.bool_]) -> Split:
        """Return some of the pairs, with their rows in the original split.

        Args:
            keep: (n,) whether to keep each pair.
        """
        label = None if self.label is None else self.label[keep]
        return Split(self.first[keep], self.second[keep], label, self.rows[keep])


class Relations:
    """Knows which pairs are true: a sorted list of pair keys, so that memory grows with true pairs only.

    Args:
        *splits: splits whose pairs are true.
    """

    def __init__(self, *splits: Split) -> None:
        first = np.concatenate([split.first for split in splits])
        second = np.concatenate([split.second for split in splits])
        self._width = int(second.max()) + 1 if len(second) else 1
        self._keys = torch.from_numpy(np.unique(first * self._width + second))

    def matrix(self, first: Tensor, second: Tensor) -> Tensor:
        """Compare every item of one list with every item of another.

        Args:
            first: (a,) items of the first modality.
            second: (b,) items of the second modality.

        Returns:
            (a, b) bool on the CPU: does item ``first[i]`` belong with item ``second[j]``?
        """
        return self._contains(first[:, None], second[None, :])

    def pairwise(self, first: Tensor, second: Tensor) -> Tensor:
        """Compare two aligned lists of items.

        Args:
            first: (n,) items of the first modality.
            second: (n,) items of the second modality.

        Returns:
            (n,) bool on the CPU: does item ``first[i]`` belong with item ``second[i]``?
        """
        return self._contains(first, second)

    def cells(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Find the true pairs among every item of one list with every item of another.

        Few of many pairs are true: this takes far less than `matrix` where the lists are long.

        Args:
            first: (a,) items of the first modality.
            second: (b,) items of the second modality.

        Returns:
            Rows and columns of the true cells of the (a, b) matrix, on the CPU.
        """
        known = second.cpu() < self._width
        rows = self._table[first.cpu().clamp(max=self._table.shape[0] - 1).numpy()]
        found = rows[:, second.cpu()[known].numpy()].tocoo()
        row, column = torch.from_numpy(found.row).long(), torch.from_numpy(found.col).long()
        return row, known.nonzero()[:, 0][column]

    @cached_property
    def _table(self) -> scipy.sparse.csr_array:
        """The true pairs as a sparse matrix; its last row is empty."""
        first, second = np.divmod(self._keys.numpy(), self._width)
        shape = (int(first.max(initial=0)) + 2, self._width)
        return scipy.sparse.csr_array((np.ones(len(first), dtype=bool), (first, second)), shape)

    def _contains(self, first: Tensor, second: Tensor) -> Tensor:
        keys = first.cpu() * self._width + second.cpu()
        place = torch.searchsorted(self._keys, keys).clamp_(max=len(self._keys) - 1)
        inside = (second.cpu() < self._width).expand_as(keys)
        return (self._keys[place] == keys) & inside


class NoUnrelatedPairs(ValueError):
    """Tells that hardly any two items of a set are unrelated, as in a set of a single unit."""


def unrelated_pairs(source: Split, relations: Relations, count: int, tries: int = 100) -> Split:
    """Draw pairs of a split's items that do not belong together, with torch's global generator.

    Args:
        source: n pairs whose items are paired anew; frequent items are drawn more often.
        relations: the true pairs, which are never drawn.
        count: number of pairs to draw.
        tries: largest number of rounds of drawing.

    Returns:
        ``count`` pairs; each carries the label of the pair that its first item was taken from.

    Raises:
        NoUnrelatedPairs: Hardly any two items are unrelated.
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
    raise NoUnrelatedPairs(
        f"no unrelated pairs among the items of {len(source.units)} units: draw partners from the retain set"
    )


@dataclass(frozen=True)
class Features:
    """Holds every item's model inputs by modality: prepared once, read by index.

    Half-precision features are stored to save memory and handed out as float32.

    Attributes:
        arrays: inputs of every image, text or node, by modality.
        device: device on which inputs are handed out.
        groups: (n, k) the k parts that make up each item, by modality; absent where each part is an item.
        whole: inputs that belong to all items together, such as a graph's edges, by modality. They are handed
            out as they are, whichever items are asked for.
    """

    arrays: Mapping[str, Mapping[str, Rows]]
    device: torch.device
    groups: Mapping[str, Tensor] = field(default_factory=dict)
    whole: Mapping[str, Inputs] = field(default_factory=dict)

    def gather(self, modality: str, items: Tensor) -> Inputs:
        """Return the inputs of these items on the device, floats as float32.

        Args:
            modality: name of the modality.
            items: (b,) items of that modality.

        Returns:
            Inputs (b, …) by name; (b, k, …) where an item is a group of k parts.
        """
        parts = self.groups[modality][items] if modality in self.groups else items
        picked = {name: array[parts] for name, array in self.arrays[modality].items()}
        picked |= self.whole.get(modality, {})
        return {
            name: (value.float() if value.dtype == torch.float16 else value).to(self.device)
            for name, value in picked.items()
        }


class Targets(NamedTuple):
    """Holds what a batch of b pairs should be judged as.

    Attributes:
        related: (b, b) bool, whether item i of the first side and item j of the second belong together.
        labels: (b,) class of each pair, or None where the task is retrieval.
    """

    related: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """Holds a mini-batch of b true pairs.

    Attributes:
        rows: (b,) rows in the training split; keys of the original's cached outputs.
        first: (b,) items of the first modality.
        second: (b,) items of the second modality.
        targets: what the pairs should be judged as.
        features: inputs of all items.
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
        """Return the (b,) items of one modality."""
        return self.first if modality == self.modalities[0] else self.second

    def inputs(self, modality: str) -> Inputs:
        """Read the items' inputs on the device; cached outputs often make this needless."""
        return self.features.gather(modality, self.items(modality))


Sampling = Literal["unit", "pair"]


@dataclass(frozen=True)
class PairData:
    """Holds a split and what turns its rows into batches.

    Attributes:
        split: the pairs.
        relations: all true pairs, so that no true pair serves as a negative.
        features: inputs of all items.
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
        """Return the batch at these positions of the split.

        Args:
            positions: (b,) rows of ``split``.
        """
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
        """Yield the batches of one shuffled pass, as near to the size asked for as equal batches can be.

        A small rest would take a whole step at the same learning rate, and spoil what it does not hold.

        Args:
            batch_size: number of pairs in a batch, about; sizes differ by one at most.
            rng: random generator of the order and, with ``unit`` sampling, of each unit's pair.
        """
        for positions in np.array_split(self._draw(rng), max(1, self.steps(batch_size))):
            if len(positions):
                yield self.batch(positions)

    def steps(self, batch_size: int) -> int:
        """Return the number of batches in one epoch: 0 without pairs, else at least 1.

        Raises:
            ValueError: the size is below 1.
        """
        if batch_size < 1:
            raise ValueError(
                f"no batches of {batch_size} pairs: the size that a setting of 0 stands for is "
                "problem.batch_size(self.config.batch_size)"
            )
        return max(1, round(len(self) / batch_size)) if len(self) else 0

    def cycle(self, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield the batches of epochs without end.

        Args:
            batch_size: number of pairs in a batch.
            rng: random generator that every epoch draws from.
        """
        while True:
            yield from self.epoch(batch_size, rng)

    def _draw(self, rng: np.random.Generator) -> Integers:
        if self.sampling == "pair":
            return rng.permutation(len(self.split)).astype(np.int64)
        by_unit = np.argsort(self.split.first, kind="stable")
        _, starts, counts = np.unique(self.split.first[by_unit], return_index=True, return_counts=True)
        picks = by_unit[starts + rng.integers(0, counts)]
        return rng.permutation(picks).astype(np.int64)
