"""Keep the original's outputs on the training data, computed once, since unlearning never changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Batch, Features, Integers, Split
from mmulbench.core.encoding import ItemEncoder, collected
from mmulbench.core.model import EncoderOutput, MultimodalModel
from mmulbench.records.schema import Cost

TOKEN_BUDGET = 2**30
"""Largest size in bytes of encoder tokens kept in memory; larger ones are computed when asked for."""

Tensors = dict[str, Tensor]


class OriginalOutputs:
    """Holds the original's encoder outputs and fused representations of the training pairs.

    The first use charges the cost of computing them to the method that asked, even when they come from the
    cache: a method that needs them pays for them.

    Args:
        original: the frozen original, in evaluation mode.
        train: the pairs that the original was trained on.
        features: inputs of all items.
        load: returns the tensors of `compute_outputs` and their cost, from a cache or by calling its
            argument.
        meter: meter that is charged at the first use.
    """

    def __init__(
        self,
        original: MultimodalModel,
        train: Split,
        features: Features,
        load: Callable[[Callable[[], tuple[Tensors, Cost]]], tuple[Tensors, Cost]],
        meter: CostMeter,
    ) -> None:
        self._original = original
        self._train = train
        self._features = features
        self._load = load
        self._meter = meter

    @cached_property
    def _tensors(self) -> Tensors:
        def compute() -> tuple[Tensors, Cost]:
            return compute_outputs(self._original, self._train, self._features)

        with self._meter.aside():
            tensors, cost = self._load(compute)
        self._meter.charge("original's outputs", cost)
        return tensors

    @torch.no_grad()
    def encoded(self, modality: str, items: Tensor) -> EncoderOutput:
        """Return the original's encoder output of b items of the training set.

        Args:
            modality: name of the modality.
            items: (b,) items of that modality.

        Raises:
            ValueError: An item is not in the training set.
        """
        stored, place = self._tensors, self._place(modality, items)
        if f"{modality}.tokens" not in stored:
            return self._original.encode(modality, self._features.gather(modality, items))
        names = ("tokens", "mask", "pooled")
        tokens, mask, pooled = (stored[f"{modality}.{name}"][place] for name in names)
        return EncoderOutput(tokens, mask, pooled).to(self._features.device)

    def encoded_batch(self, batch: Batch) -> tuple[EncoderOutput, EncoderOutput]:
        """Return the original's encoder outputs of both sides of a batch."""
        first, second = batch.modalities
        return self.encoded(first, batch.first), self.encoded(second, batch.second)

    def unimodal(self, modality: str, items: Tensor) -> Tensor:
        """Return the original's (b, d) unimodal representations of items of the training set.

        Args:
            modality: name of the modality.
            items: (b,) items of that modality.

        Raises:
            ValueError: An item is not in the training set.
        """
        return self._tensors[f"{modality}.pooled"][self._place(modality, items)].to(self._features.device)

    def fused(self, batch: Batch) -> Tensor:
        """Return the original's (b, d) fused representations of a batch of training pairs.

        Args:
            batch: b training pairs, of Df or Dr.

        Raises:
            ValueError: The batch is of another split, whose rows mean other pairs.
        """
        rows = batch.rows.numpy()
        known = len(rows) == 0 or rows.max() < len(self._train)
        if not known or (self._train.first[rows] != batch.first.numpy()).any():
            raise ValueError("the original's outputs are kept for training pairs only")
        return self._tensors["fused"][batch.rows].to(self._features.device)

    @torch.no_grad()
    def fused_pairs(self, pairs: Split) -> Tensor:
        """Return the (n, d) fused representations of any n pairings of training items; only ``fuse`` runs.

        Args:
            pairs: n pairs of training items, true or not.
        """
        first, second = (
            self.encoded(modality, torch.from_numpy(column))
            for modality, column in zip(self._original.modalities, (pairs.first, pairs.second), strict=True)
        )
        return self._original.fuse(first, second)

    def _place(self, modality: str, items: Tensor) -> Tensor:
        """Return where the items' outputs are.

        Raises:
            ValueError: An item is not in the training set.
        """
        known, wanted = self._tensors[f"{modality}.items"], items.cpu()
        place = torch.searchsorted(known, wanted).clamp_(max=len(known) - 1)
        if not torch.equal(known[place], wanted):
            raise ValueError(
                f"the original's outputs are kept for training items only, not for every {modality}"
            )
        return place

    @torch.no_grad()
    def logits(self, batch: Batch) -> dict[str, Tensor]:
        """Return the original's logits on a batch of training pairs by path; no encoder or fusion runs."""
        first, second = self.encoded_batch(batch)
        return self._original.logits(first, second, self.fused(batch))


@torch.no_grad()
def compute_outputs(
    original: MultimodalModel, train: Split, features: Features, block: int = 512
) -> tuple[Tensors, Cost]:
    """Run the original once over every training item and pair.

    Args:
        original: model in evaluation mode.
        train: n pairs.
        features: inputs of all items.
        block: largest number of items or pairs at a time.

    Returns:
        For each modality ``<m>.items`` (k,), ``<m>.pooled`` (k, d) and, if all fit in `TOKEN_BUDGET`,
        ``<m>.tokens`` (k, l, d) and ``<m>.mask`` (k, l); ``fused`` (n, d) by training row. Besides, the cost
        of it.
    """
    meter = CostMeter(features.device)
    stored: Tensors = {}
    encoder = ItemEncoder(original, features)
    with meter:
        for modality, column in zip(original.modalities, (train.first, train.second), strict=True):
            size = encoder.block(block, modality)
            stored |= _encode_items(original, modality, np.unique(column), features, size, meter)
        blocks = []
        size = encoder.block(block, *original.modalities)
        for start in range(0, len(train), size):
            part = slice(start, start + size)
            a, b = (
                _look_up(original, stored, features, modality, torch.from_numpy(column[part]))
                for modality, column in zip(original.modalities, (train.first, train.second), strict=True)
            )
            blocks.append(meter.run("fuse", len(a), original.fuse, a, b).cpu())
        stored["fused"] = torch.cat(blocks)
    return stored, meter.cost()


def _encode_items(
    original: MultimodalModel,
    modality: str,
    items: Integers,
    features: Features,
    block: int,
    meter: CostMeter,
) -> Tensors:
    """Return the encoder's outputs of a modality's items, without tokens where they take too much memory."""

    def encoded() -> Iterator[EncoderOutput]:
        for start in range(0, len(items), block):
            index = torch.from_numpy(items[start : start + block])
            inputs = features.gather(modality, index)
            found = meter.run(f"encode {modality}", len(index), original.encode, modality, inputs)
            found = found.to(torch.device("cpu"))
            keep = found.tokens[0].nbytes * len(items) <= TOKEN_BUDGET
            yield found if keep else EncoderOutput(found.tokens[:, :0], found.mask[:, :0], found.pooled)

    whole = collected(encoded(), len(items))
    stored = {f"{modality}.items": torch.from_numpy(items), f"{modality}.pooled": whole.pooled}
    if whole.mask.shape[1]:
        stored |= {f"{modality}.tokens": whole.tokens, f"{modality}.mask": whole.mask}
    return stored


def _look_up(
    original: MultimodalModel, stored: Tensors, features: Features, modality: str, items: Tensor
) -> EncoderOutput:
    if f"{modality}.tokens" not in stored:
        return original.encode(modality, features.gather(modality, items))
    place = torch.searchsorted(stored[f"{modality}.items"], items)
    tokens, mask, pooled = (stored[f"{modality}.{name}"][place] for name in ("tokens", "mask", "pooled"))
    return EncoderOutput(tokens, mask, pooled).to(features.device)
