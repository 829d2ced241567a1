"""Compute a model's beliefs on each association path without its training loss, and compare them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmulbench import Batch, MultimodalModel


def path_logits(model: MultimodalModel, batch: Batch) -> dict[str, Tensor]:
    """Return the (b, c) logits of a batch of b pairs by path.

    They are those of the training pass, but no negatives are drawn and fused for a loss that nobody reads.

    Args:
        model: model that judges the pairs.
        batch: b pairs.
    """
    first, second = model.encode_batch(batch)
    return model.logits(first, second, model.fuse(first, second))


def divergence(teacher: dict[str, Tensor], student: dict[str, Tensor], temperature: float) -> Tensor:
    """Return the mean over paths of T^2 * KL(teacher || student), averaged over the batch.

    Args:
        teacher: (b, c) logits by path.
        student: (b, c) logits by path.
        temperature: T, by which both are divided.

    Returns:
        A scalar in nats.
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
