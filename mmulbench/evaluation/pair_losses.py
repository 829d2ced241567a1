"""Compute the loss of a single pair on each association path, alike for evaluation and for methods.

A task's own loss can depend on the whole batch (contrastive negatives), so that it says nothing of one pair.
Here the negatives are fixed, and a pair's loss does not depend on which other pairs are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mmulbench.core.model import CONTRASTIVE, MultimodalModel, RetrievalModel

if TYPE_CHECKING:
    from mmulbench.core.model import EncoderOutput

Pools = tuple[Tensor, Tensor] | None
"""Pooled outputs (p, d) and (q, d) of both modalities' reference items; None where no path needs them."""

POOL_BLOCK = 2**22
"""Most similarities of pairs with the reference items that are held at a time."""


@dataclass(frozen=True)
class Association:
    """Holds what a model says of n pairs on one path.

    Attributes:
        score: (n,) association scores; higher means "belongs together".
        loss: (n,) minus the log-likelihood of each pair.
    """

    score: Tensor
    loss: Tensor


def associations(
    model: MultimodalModel, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None, pools: Pools
) -> dict[str, Association]:
    """Compute scores and losses of n aligned pairs on every association path.

    The loss is: matching, -log p(belongs together); classification, -log p(own class); contrastive,
    `contrastive_pair_loss`.

    Args:
        model: model that gives the association scores.
        a: encoder outputs of the first modality.
        b: encoder outputs of the second modality.
        labels: (n,) classes, or None for retrieval.
        pools: reference items.
    """
    found = {}
    for path, score in model.association(a, b, labels).items():
        if path == CONTRASTIVE and pools is not None and isinstance(model, RetrievalModel):
            loss = contrastive_pair_loss(model, score, a.pooled, b.pooled, pools)
        else:
            loss = nn.functional.softplus(-score)
        found[path] = Association(score, loss)
    return found


def contrastive_pair_loss(
    model: RetrievalModel, own: Tensor, a: Tensor, b: Tensor, pools: tuple[Tensor, Tensor]
) -> Tensor:
    """Compute the (n,) contrastive losses of aligned pairs against a fixed pool of negatives.

    -log( exp(s(a, b)) / (exp(s(a, b)) + sum over the pool of exp(s(a, .))) ), and the same for b; the loss is
    the mean of both directions.

    Args:
        model: model that gives scaled similarities.
        own: (n,) scaled similarity of the pairs themselves.
        a: (n, d) pooled outputs of the first modality.
        b: (n, d) pooled outputs of the second modality.
        pools: (p, d) and (q, d) pooled outputs of the reference items of the first and second modality.
    """
    softplus = nn.functional.softplus
    first_pool, second_pool = pools
    losses = []
    size = max(1, POOL_BLOCK // max(len(first_pool), len(second_pool)))
    parts = zip(*(torch.split(one, size) for one in (own, a, b)), strict=True)
    for own_part, a_part, b_part in parts:
        against_second = model.similarity(a_part, second_pool).logsumexp(1)
        against_first = model.similarity(first_pool, b_part).logsumexp(0)
        losses.append((softplus(against_second - own_part) + softplus(against_first - own_part)) / 2)
    return torch.cat(losses)
