"""Retrieval with a model: score in blocks, re-rank the best candidates with the fusion module."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmulbench.data import Features, Integers, Relations, Split
from mmulbench.metrics.utility import RetrievalUtility, first_hit_ranks, retrieval_utility
from mmulbench.model import CONTRASTIVE, MATCHING, Encoded, MultimodalModel, RetrievalModel
from mmulbench.progress import Progress

QUERIES, PAIRS = 256, 4096
"""Queries scored, and pairs fused, at a time: memory does not grow with images x texts."""


@torch.no_grad()
def encode_items(
    model: MultimodalModel, modality: str, items: Tensor, features: Features, block: int = 512
) -> Encoded:
    """Encoder output of n items, computed in blocks."""
    parts = [model.encode(modality, features.gather(modality, part)) for part in torch.split(items, block)]
    return Encoded(
        torch.cat([part.tokens for part in parts]),
        torch.cat([part.mask for part in parts]),
        torch.cat([part.pooled for part in parts]),
    )


@torch.no_grad()
def evaluate_retrieval(
    model: RetrievalModel,
    split: Split,
    relations: Relations,
    features: Features,
    rerank: int,
    progress: Progress,
    description: str,
) -> RetrievalUtility:
    """Recall both ways with the split as its own gallery.

    A query's candidates are ranked by contrastive similarity; the best ``rerank`` of them are then ordered by
    similarity plus the matching head's log-odds, as BLIP does (arXiv 2201.12086).

    Args:
        model: in evaluation mode.
        split: its first-modality items and its distinct second-modality items are queries and gallery.
        relations: which pairs are true; several right answers are all right.
        features: inputs of all items.
        rerank: candidates a query that the fusion module sees.
        progress: shows a bar.
        description: of the bar.
    """
    first, second = (torch.from_numpy(np.unique(column)) for column in (split.first, split.second))
    a = encode_items(model, model.modalities[0], first, features)
    b = encode_items(model, model.modalities[1], second, features)
    blocks = -(-len(first) // QUERIES) + -(-len(second) // QUERIES)
    tick = progress.counter(blocks, description)
    ranks: list[list[Integers]] = [[], []]
    counts: list[list[Integers]] = [[], []]
    for direction, queries in enumerate((first, second)):
        for index in torch.split(torch.arange(len(queries)), QUERIES):
            relevant = _relevant(relations, first, second, index, direction)
            scores = _scores(model, a, b, index, direction, rerank)
            ranks[direction].append(first_hit_ranks(scores, relevant))
            counts[direction].append(relevant.sum(1))
            tick()
    return retrieval_utility(
        np.concatenate(ranks[0]),
        np.concatenate(ranks[1]),
        first_relevant_counts=np.concatenate(counts[0]),
        second_relevant_counts=np.concatenate(counts[1]),
        first_gallery=len(first),
        second_gallery=len(second),
    )


def _relevant(
    relations: Relations, first: Tensor, second: Tensor, index: Tensor, direction: int
) -> NDArray[np.bool_]:
    """(q, g) bool: the right answers of a block of queries."""
    if direction == 0:
        return relations.matrix(first[index], second).numpy()
    return relations.matrix(first, second[index]).T.numpy()


def _scores(
    model: RetrievalModel, a: Encoded, b: Encoded, index: Tensor, direction: int, rerank: int
) -> NDArray[np.float64]:
    """(q, g) scores of a block of queries: re-ranked candidates first, in order; the rest by similarity."""
    if CONTRASTIVE not in model.paths:
        gallery_size = len(b) if direction == 0 else len(a)
        every = torch.arange(gallery_size).expand(len(index), -1)
        return _log_odds(model, a, b, index, every, direction).double().cpu().numpy()
    if direction == 0:
        similarity = model.similarity(a.pooled[index], b.pooled)
    else:
        similarity = model.similarity(a.pooled, b.pooled[index]).T
    if MATCHING not in model.paths:
        return similarity.double().cpu().numpy()
    best = similarity.topk(min(rerank, similarity.shape[1]), dim=1)
    log_odds = _log_odds(model, a, b, index, best.indices.cpu(), direction)
    reranked = (best.values + log_odds).double()
    # Everything outside the candidates comes after all of them, its own order kept.
    below = similarity.double() - similarity.max().double() + reranked.min() - 1.0
    return below.scatter(1, best.indices, reranked).cpu().numpy()


def _log_odds(
    model: RetrievalModel, a: Encoded, b: Encoded, index: Tensor, candidates: Tensor, direction: int
) -> Tensor:
    """(q, k) matching log-odds of each query with its candidates."""
    queries = index[:, None].expand_as(candidates).reshape(-1)
    gallery = candidates.reshape(-1)
    firsts, seconds = (queries, gallery) if direction == 0 else (gallery, queries)
    found = [matching_log_odds(model, a[i], b[j]) for i, j in _paired(firsts, seconds)]
    return torch.cat(found).reshape(candidates.shape)


def _paired(first: Tensor, second: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    return zip(torch.split(first, PAIRS), torch.split(second, PAIRS), strict=True)


def matching_log_odds(model: RetrievalModel, a: Encoded, b: Encoded) -> Tensor:
    """(n,) log-odds of the matching head that aligned pairs belong together."""
    logits = model.head(model.fuse(a, b))
    return logits[:, 1] - logits[:, 0]
