"""Run a model's encoders over many items, in blocks whose size depends on how large its tokens are."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from mmulbench.core.data import Features
from mmulbench.core.model import EncoderOutput, MultimodalModel

ITEMS = 512
"""Largest number of items encoded at a time."""

BLOCK_BYTES = 2**28
"""Largest size of a block's tokens in bytes; a model with large tokens works in smaller blocks."""


class ItemEncoder:
    """Runs a model's encoders over many items.

    Args:
        model: model in evaluation mode. It encodes one item of each modality at once, to see how large its
            tokens are.
        features: inputs of all items.
    """

    @torch.no_grad()
    def __init__(self, model: MultimodalModel, features: Features) -> None:
        self._model = model
        self._features = features
        first = torch.zeros(1, dtype=torch.int64)
        self._bytes = {
            modality: model.encode(modality, features.gather(modality, first)).tokens.nbytes
            for modality in model.modalities
        }

    def block(self, most: int, *modalities: str) -> int:
        """Return the number of items in a block: ``most``, or as many as have tokens of `BLOCK_BYTES`.

        Args:
            most: usual number of items.
            *modalities: modalities that are encoded together; two for pairs.
        """
        return block_size(most, sum(self._bytes[modality] for modality in modalities))

    @torch.no_grad()
    def items(self, modality: str, items: Tensor) -> EncoderOutput:
        """Return the encoder output of n items.

        Args:
            modality: name of the modality.
            items: (n,) items of that modality.
        """
        return collected(self._blocks(modality, items), len(items))

    @torch.no_grad()
    def pooled(self, modality: str, items: Tensor) -> Tensor:
        """Return the (n, d) unimodal representations of n items; tokens are not kept.

        Args:
            modality: name of the modality.
            items: (n,) items of that modality.
        """
        # Copied to their place at once: they can be views of the tokens, and small results that wait among
        # large temporaries would keep their memory from being reused.
        blocks = self._blocks(modality, items)
        parts = (EncoderOutput(part.tokens[:, :0], part.mask[:, :0], part.pooled) for part in blocks)
        return collected(parts, len(items)).pooled

    def _blocks(self, modality: str, items: Tensor) -> Iterable[EncoderOutput]:
        for part in torch.split(items, self.block(ITEMS, modality)):
            yield self._model.encode(modality, self._features.gather(modality, part))


def block_size(most: int, item_bytes: int) -> int:
    """Return the number of items in a block: ``most``, or as many as fit into `BLOCK_BYTES`; at least one.

    Args:
        most: usual number of items.
        item_bytes: size of one item's tokens in bytes.
    """
    return max(1, min(most, BLOCK_BYTES // max(item_bytes, 1)))


def collected(blocks: Iterable[EncoderOutput], count: int) -> EncoderOutput:
    """Join blocks into one output of ``count`` items, without ever holding all of them twice.

    Args:
        blocks: outputs of the blocks, at least one.
        count: number of items in all blocks together.
    """
    whole: list[Tensor] = []
    start = 0
    for part in blocks:
        values = (part.tokens, part.mask, part.pooled)
        if not whole:
            whole = [value.new_empty((count, *value.shape[1:])) for value in values]
        for place, value in zip(whole, values, strict=True):
            place[start : start + len(value)] = value
        start += len(part)
    return EncoderOutput(*whole)
