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
    from mmulbench.core.data import Relations
    from mmulbench.core.model import EncoderOutput

POOL_BLOCK = 2**22
"""Most similarities of pairs with the reference items that are held at a time."""


@dataclass(frozen=True)
class Pools:
    """Holds the reference items of both modalities, which are the negatives of a contrastive loss.

    Attributes:
        first: (p, d) pooled outputs of the first modality.
        second: (q, d) pooled outputs of the second modality.
        first_items: (p,) the items of the first modality.
        second_items: (q,) the items of the second modality.
        relations: all true pairs: what belongs to a pair's item is none of its negatives.
    """

    first: Tensor
    second: Tensor
    first_items: Tensor
    second_items: Tensor
    relations: Relations


@dataclass(frozen=True)
class EncodedPairs:
    """Holds n aligned pairs and what their encoders say of them.

    Attributes:
        a: encoder outputs of the first modality.
        b: encoder outputs of the second modality.
        first: (n,) items of the first modality.
        second: (n,) items of the second modality.
        labels: (n,) classes, or None for retrieval.
    """

    a: EncoderOutput
    b: EncoderOutput
    first: Tensor
    second: Tensor
    labels: Tensor | None = None


@dataclass(frozen=True)
class Association:
    """Holds what a model says of n pairs on one path.

    Attributes:
        score: (n,) association scores; higher means "belongs together".
        loss: (n,) minus the log-likelihood of each pair.
    """

    score: Tensor
    loss: Tensor


def associations(model: MultimodalModel, pairs: EncodedPairs, pools: Pools | None) -> dict[str, Association]:
    """Compute scores and losses of n aligned pairs on every association path.

    The loss is: matching, -log p(belongs together); classification, -log p(own class); contrastive,
    `contrastive_pair_loss`.

    Args:
        model: model that gives the association scores.
        pairs: the pairs.
        pools: reference items; None where no path needs them.
    """
    found = {}
    for path, score in model.association(pairs.a, pairs.b, pairs.labels).items():
        if path == CONTRASTIVE and pools is not None and isinstance(model, RetrievalModel):
            loss = contrastive_pair_loss(model, score, pairs, pools)
        else:
            loss = nn.functional.softplus(-score)
        found[path] = Association(score, loss)
    return found


def contrastive_pair_loss(model: RetrievalModel, own: Tensor, pairs: EncodedPairs, pools: Pools) -> Tensor:
    """Compute the (n,) contrastive losses of aligned pairs against a fixed pool of negatives.

    -log( exp(s(a, b)) / (exp(s(a, b)) + sum over the pool of exp(s(a, .))) ), and the same for b; the loss is
    the mean of both directions. What belongs to a is left out of a's sum, and likewise for b: else a pair
    whose own text is in the pool would count it as a negative.

    Args:
        model: model that gives scaled similarities.
        own: (n,) scaled similarity of the pairs themselves.
        pairs: the pairs.
        pools: reference items.
    """
    losses = []
    size = max(1, POOL_BLOCK // max(len(pools.first), len(pools.second)))
    for start in range(0, len(own), size):
        part = slice(start, start + size)
        a, b, score = pairs.a.pooled[part], pairs.b.pooled[part], own[part]
        against_second = _negatives(
            model.similarity(a, pools.second), pools.relations.cells(pairs.first[part], pools.second_items)
        )
        against_first = _negatives(
            model.similarity(pools.first, b), pools.relations.cells(pools.first_items, pairs.second[part])
        )
        softplus = nn.functional.softplus
        to_second = softplus(against_second.logsumexp(1) - score)
        losses.append((to_second + softplus(against_first.logsumexp(0) - score)) / 2)
    return torch.cat(losses)


def _negatives(similarity: Tensor, true: tuple[Tensor, Tensor]) -> Tensor:
    """Return similarities with -inf in the cells of true pairs."""
    cells = tuple(index.to(similarity.device) for index in true)
    return similarity.index_put(cells, similarity.new_tensor(-torch.inf))
