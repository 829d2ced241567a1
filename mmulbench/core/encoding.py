"""Running a model's encoders over many items, in blocks whose size follows from how large its tokens are."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from mmulbench.core.data import Features
from mmulbench.core.model import EncoderOutput, MultimodalModel

ITEMS = 512
"""Items encoded at a time, at most."""

BLOCK_BYTES = 2**28
"""Of tokens in a block: a model whose tokens are large works in smaller blocks."""


class ItemEncoder:
    """A model's encoders over many items.

    Args:
        model: in evaluation mode. It encodes one item of each modality at once, to see how large its tokens
            are.
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
        """How many items make a block: ``most``, or as many as have tokens of `BLOCK_BYTES`.

        Args:
            most: the usual size.
            modalities: of the item; two for pairs.
        """
        return block_size(most, sum(self._bytes[modality] for modality in modalities))

    @torch.no_grad()
    def items(self, modality: str, items: Tensor) -> EncoderOutput:
        """Encoder output of n items."""
        return collected(self._blocks(modality, items), len(items))

    @torch.no_grad()
    def pooled(self, modality: str, items: Tensor) -> Tensor:
        """(n, d) unimodal representations of n items; tokens are not kept."""
        # Copied to their place at once: they can be views of the tokens, and small results that wait among
        # large temporaries would keep their memory from being reused.
        blocks = self._blocks(modality, items)
        parts = (EncoderOutput(part.tokens[:, :0], part.mask[:, :0], part.pooled) for part in blocks)
        return collected(parts, len(items)).pooled

    def _blocks(self, modality: str, items: Tensor) -> Iterable[EncoderOutput]:
        for part in torch.split(items, self.block(ITEMS, modality)):
            yield self._model.encode(modality, self._features.gather(modality, part))


def block_size(most: int, item_bytes: int) -> int:
    """How many items make a block: ``most``, or as many as fit into `BLOCK_BYTES`; at least one."""
    return max(1, min(most, BLOCK_BYTES // max(item_bytes, 1)))


def collected(blocks: Iterable[EncoderOutput], count: int) -> EncoderOutput:
    """Blocks as one output of ``count`` items; there is never a second copy of all of them.

    Args:
        blocks: at least one.
        count: items in all blocks together.
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
