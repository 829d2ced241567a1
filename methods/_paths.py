"""A model's beliefs on each association path, without its training loss."""

from __future__ import annotations

from torch import Tensor

from mmulbench.core.data import Batch
from mmulbench.core.model import MultimodalModel


def path_logits(model: MultimodalModel, batch: Batch) -> dict[str, Tensor]:
    """By path, (b, c) logits of a batch of b pairs.

    The same as the training pass gives, but no negatives are drawn and fused for a loss that nobody reads.
    """
    first, second = model.encode_batch(batch)
    return model.logits(first, second, model.fuse(first, second))
