"""A model's beliefs on each association path, without its training loss."""

from __future__ import annotations

import torch
from torch import Tensor

from mmulbench import Batch, MultimodalModel


def path_logits(model: MultimodalModel, batch: Batch) -> dict[str, Tensor]:
    """By path, (b, c) logits of a batch of b pairs.

    The same as the training pass gives, but no negatives are drawn and fused for a loss that nobody reads.
    """
    first, second = model.encode_batch(batch)
    return model.logits(first, second, model.fuse(first, second))


def divergence(teacher: dict[str, Tensor], student: dict[str, Tensor], temperature: float) -> Tensor:
    """Mean over paths of T^2 * KL(teacher || student), averaged over the batch.

    Args:
        teacher: by path, (b, c) logits.
        student: by path, (b, c) logits.
        temperature: T; both are divided by it.
    """
    terms = [
        torch.nn.functional.kl_div(
            (student[path] / temperature).log_softmax(-1),
            (teacher[path] / temperature).log_softmax(-1),
            log_target=True,
            reduction="batchmean",
        )
        for path in teacher
    ]
    return torch.stack(terms).mean() * temperature**2
