"""Retrieve with a model: score in blocks, re-rank the best candidates with the fusion module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmulbench.core.data import Features, Integers, Relations, Split
from mmulbench.core.encoding import ItemEncoder, block_size
from mmulbench.core.model import CONTRASTIVE, MATCHING, EncoderOutput, RetrievalModel
from mmulbench.metrics.utility import RetrievalUtility, first_hit_ranks, mean_utility, retrieval_utility
from mmulbench.progress import Progress
from mmulbench.seeds import generator

QUERIES, PAIRS = 256, 4096
"""Most queries scored, and pairs fused, at a time: memory does not grow with images x texts."""

FOLDS = 5
"""Most folds that are measured of a set, as COCO's 1K protocol averages over five. A retain set of 29,000
images would have 29, and each takes as long as the test set."""


@torch.no_grad()
def evaluate_retrieval(
    model: RetrievalModel,
    split: Split,
    relations: Relations,
    features: Features,
    rerank: int,
    progress: Progress,
    description: str,
    gallery: int = 0,
) -> RetrievalUtility:
    """Measure recall both ways with the split as its own gallery, or over folds of it.

    A query's candidates are ranked by contrastive similarity; the best ``rerank`` of them are then ordered by
    similarity plus the matching head's log-odds, as BLIP does (arXiv 2201.12086).

    Args:
        model: in evaluation mode.
        split: its first-modality items and its distinct second-modality items are queries and gallery.
        relations: which pairs are true; several right answers are all right.
        features: inputs of all items.
        rerank: candidates a query that the fusion module sees.
        progress: display of a bar.
        description: text of the bar.
        gallery: units of a fold, where the split has more; 0 for a single gallery.

    Returns:
        The recalls; of several folds, their mean by number of queries.
    """
    folds = gallery_folds(split, gallery)
    blocks = sum(-(-len(np.unique(side)) // QUERIES) for fold in folds for side in (fold.first, fold.second))
    tick = progress.counter(blocks, description)
    encoder = ItemEncoder(model, features)
    return mean_utility([_fold_utility(model, fold, relations, encoder, rerank, tick) for fold in folds])


def gallery_folds(split: Split, gallery: int) -> list[Split]:
    """Cut a split into the galleries that it is measured in.

    Args:
        split: the split.
        gallery: units of a fold; 0 makes the split the only one.

    Returns:
        The split where it has no more units than that; else the first `FOLDS` folds of exactly so many units,
        each with its own texts, in an order that is the same for every seed. Units that make no whole fold
        are left out, for a smaller gallery is an easier one.
    """
    if not gallery or len(split.units) <= gallery:
        return [split]
    order = generator(0, "gallery folds").permutation(split.units)
    count = min(FOLDS, len(order) // gallery)
    return [split.only(order[fold * gallery : (fold + 1) * gallery]) for fold in range(count)]


def _fold_utility(
    model: RetrievalModel,
    split: Split,
    relations: Relations,
    encoder: ItemEncoder,
    rerank: int,
    tick: Callable[[], None],
) -> RetrievalUtility:
    """Measure recall both ways in one gallery."""
    first, second = (torch.from_numpy(np.unique(column)) for column in (split.first, split.second))
    a = encoder.items(model.modalities[0], first)
    b = encoder.items(model.modalities[1], second)
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
    """Return which of a gallery answer a block of queries: (q, g), bool."""
    if direction == 0:
        return relations.matrix(first[index], second).numpy()
    return relations.matrix(first, second[index]).T.numpy()


def _scores(
    model: RetrievalModel, a: EncoderOutput, b: EncoderOutput, index: Tensor, direction: int, rerank: int
) -> NDArray[np.float64]:
    """Score a block of queries (q, g): re-ranked candidates first, in order; the rest by similarity."""
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
    model: RetrievalModel,
    a: EncoderOutput,
    b: EncoderOutput,
    index: Tensor,
    candidates: Tensor,
    direction: int,
) -> Tensor:
    """Compute the (q, k) matching log-odds of each query with its candidates."""
    queries = index[:, None].expand_as(candidates).reshape(-1)
    gallery = candidates.reshape(-1)
    firsts, seconds = (queries, gallery) if direction == 0 else (gallery, queries)
    size = block_size(PAIRS, a.tokens[:1].nbytes + b.tokens[:1].nbytes)
    blocks = zip(torch.split(firsts, size), torch.split(seconds, size), strict=True)
    found = [matching_log_odds(model, a[i], b[j]) for i, j in blocks]
    return torch.cat(found).reshape(candidates.shape)


def matching_log_odds(model: RetrievalModel, a: EncoderOutput, b: EncoderOutput) -> Tensor:
    """Compute the (n,) log-odds of the matching head that aligned pairs belong together.

    Args:
        model: model with a matching head.
        a: n encoder outputs of the first modality.
        b: n encoder outputs of the second modality.
    """
    logits = model.head(model.fuse(a, b))
    return logits[:, 1] - logits[:, 0]
