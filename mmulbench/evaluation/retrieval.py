"""Retrieve with a model: score in blocks, re-rank the best candidates by the model's own rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmulbench.core.data import Features, Integers, Relations, Split
from mmulbench.core.encoding import ItemEncoder, block_size
from mmulbench.core.metric import HEADLINE
from mmulbench.core.model import CONTRASTIVE, MATCHING, EncoderOutput, RetrievalModel, of_like_length
from mmulbench.metrics.utility import (
    RetrievalUtility,
    first_hit_ranks,
    mean_utility,
    retrieval_utility,
    unit_recalls,
)
from mmulbench.progress import Progress
from mmulbench.seeds import generator

Floats = NDArray[np.float64]

QUERIES, PAIRS = 256, 512
"""Most queries scored, and pairs fused, at a time: memory does not grow with images x texts. With few pairs
at a time, most blocks are of short texts alone."""

FOLDS = 5
"""Most folds that are measured of a set, as COCO's 1K protocol averages over five. A retain set of 29,000
images would have 29, and each takes as long as the test set."""


@dataclass(frozen=True)
class Retrieval:
    """Holds what a model finds.

    Attributes:
        utility: recalls by the model's own rule.
        by_path: recalls by each association path alone. Matching orders the candidates that the contrastive
            path chooses, where there is one: to match whole galleries would cost too much.
        by_unit: (u, 2, 3) recalls of each unit by the model's own rule, by direction and cut-off: of its own
            query, and the mean over those of its texts. NaN where a unit lies in no measured fold.
    """

    utility: RetrievalUtility
    by_path: Mapping[str, RetrievalUtility]
    by_unit: Floats


@dataclass(frozen=True)
class Search:
    """Describes one gallery and who searches it.

    Attributes:
        queries: pairs whose items are the queries.
        distractors: pairs whose items are searched by every query besides its own true items; None where
            the gallery is the queries' own.
        asked: by side, the queries' items that search; None for all of them.
    """

    queries: Split
    distractors: Split | None = None
    asked: tuple[Integers, Integers] | None = None

    def asking(self, side: int) -> Integers:
        """Return the items of one side that search; 0 for the first modality."""
        return _column(self.queries, side) if self.asked is None else self.asked[side]

    def items(self, side: int) -> Integers:
        """Return the items of one side that are a query or searched, ascending; 0 for the first modality."""
        splits = [self.queries] if self.distractors is None else [self.queries, self.distractors]
        return np.unique(np.concatenate([_column(split, side) for split in splits]))


def _column(split: Split, side: int) -> Integers:
    return split.second if side else split.first


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
    distractors: Split | None = None,
) -> Retrieval:
    """Measure recall both ways in one gallery, or over several.

    A query's candidates are ranked by contrastive similarity; the best ``rerank`` of them are then ordered by
    `RetrievalModel.rerank`, the rule that the model was published with, and all others come after them.

    Args:
        model: in evaluation mode.
        split: its first-modality items and its distinct second-modality items are the queries.
        relations: which pairs are true; several right answers are all right.
        features: inputs of all items.
        rerank: candidates a query that the fusion module sees.
        progress: display of a bar.
        description: text of the bar.
        gallery: units of a fold, where there are more; 0 for a single gallery.
        distractors: pairs whose items are searched besides a query's own true items, so that other items of
            the split are no rivals; without them the split is its own gallery.

    Returns:
        The recalls; of several galleries, their mean by number of queries.
    """
    parts = searches(split, gallery, distractors)
    count = sum(
        -(-len(np.unique(_column(part.queries, side))) // QUERIES) for part in parts for side in (0, 1)
    )
    tick = progress.counter(count, description)
    encoder = ItemEncoder(model, features)
    found = [_search(model, part, relations, encoder, rerank, tick) for part in parts]
    by_unit = np.full((len(split.units), *found[0].by_unit.shape[1:]), np.nan)
    for part, result in zip(parts, found, strict=True):
        by_unit[np.searchsorted(split.units, part.queries.units)] = result.by_unit
    return Retrieval(
        mean_utility([result.utility for result in found]),
        {path: mean_utility([result.by_path[path] for result in found]) for path in model.paths},
        by_unit,
    )


def searches(split: Split, gallery: int, distractors: Split | None) -> list[Search]:
    """Say which queries search which gallery.

    Args:
        split: pairs whose items are the queries.
        gallery: units of a fold; 0 for any number.
        distractors: pairs whose items are searched besides a query's own true items; None where the split is
            its own gallery.

    Returns:
        Without distractors, the split's `gallery_folds`. With them the distractors are cut into these folds,
        and the queries' units are divided among them, in an order that is the same for every seed.
    """
    if distractors is None:
        return [Search(fold) for fold in gallery_folds(split, gallery)]
    folds = gallery_folds(distractors, gallery)
    parts = min(max(len(folds), -(-len(split.units) // gallery) if gallery else 1), len(split.units))
    if parts == 1:
        return [Search(split, folds[0])]
    order = generator(0, "gallery folds").permutation(split.units)
    return [
        Search(split.only(units), fold)
        for units, fold in zip(np.array_split(order, parts), cycle(folds), strict=False)
    ]


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


def _search(
    model: RetrievalModel,
    search: Search,
    relations: Relations,
    encoder: ItemEncoder,
    rerank: int,
    tick: Callable[[], None],
) -> Retrieval:
    """Measure recall both ways in one gallery."""
    found: tuple[list[_Found], list[_Found]] = ([], [])
    for block in ordered(model, search, relations, encoder, rerank):
        found[block.direction].append(_Found.of(block.orders, block.relevant, block.searched))
        tick()
    first, second = (_Found.joined(part) for part in found)
    utility = {name: _recalls(first, second, name) for name in first.ranks}
    return Retrieval(
        utility[HEADLINE],
        {path: utility.get(path, utility[HEADLINE]) for path in model.paths},
        unit_recalls(
            search.queries.first, search.queries.second, first.ranks[HEADLINE], second.ranks[HEADLINE]
        ),
    )


@dataclass(frozen=True)
class Ordered:
    """Holds how q queries of one direction order the g items of a gallery.

    Attributes:
        direction: 0 where the queries are of the first modality, 1 where they are of the second.
        queries: (q,) their items.
        gallery: (g,) items of the other modality.
        orders: by name, (q, g) scores, higher is better, as of `_Ways.orders`.
        relevant: (q, g) bool, which items are right.
        searched: (q, g) bool, which items each query searches.
    """

    direction: int
    queries: Tensor
    gallery: Tensor
    orders: dict[str, Tensor]
    relevant: Tensor
    searched: Tensor


def ordered(
    model: RetrievalModel, search: Search, relations: Relations, encoder: ItemEncoder, rerank: int
) -> Iterator[Ordered]:
    """Search a gallery both ways, block of queries by block.

    Args:
        model: in evaluation mode.
        search: the gallery and who searches it.
        relations: which pairs are true.
        encoder: encodes items with the model.
        rerank: candidates a query that the fusion module sees.
    """
    items = [torch.from_numpy(search.items(side)) for side in (0, 1)]
    ways = _Ways(
        model, encoder.items(model.modalities[0], items[0]), encoder.items(model.modalities[1], items[1])
    )
    for direction in (0, 1):
        queries = np.isin(items[direction], search.asking(direction)).nonzero()[0]
        gallery = np.ones(len(items[1 - direction]), dtype=bool)
        if search.distractors is not None:
            gallery = np.isin(items[1 - direction], _column(search.distractors, 1 - direction))
        for index in torch.split(torch.from_numpy(queries), QUERIES):
            relevant = _relevant(relations, items[0], items[1], index, direction)
            searched = relevant | torch.from_numpy(gallery)
            orders = ways.orders(index, direction, rerank, searched)
            yield Ordered(
                direction, items[direction][index], items[1 - direction], orders, relevant, searched
            )


@dataclass(frozen=True)
class _Found:
    """Holds what q queries of one direction found.

    Attributes:
        ranks: (q,) ranks by the name of an order.
        counts: (q,) numbers of right answers.
        sizes: (q,) numbers of items searched.
    """

    ranks: dict[str, Integers]
    counts: Integers
    sizes: Integers

    @classmethod
    def of(cls, orders: dict[str, Tensor], relevant: Tensor, searched: Tensor) -> _Found:
        """Return the ranks in orders (q, g) by name, given which items are right and which are searched."""
        right = relevant.numpy()
        ranks = {
            name: first_hit_ranks(scores.double().cpu().masked_fill(~searched, -torch.inf).numpy(), right)
            for name, scores in orders.items()
        }
        return cls(ranks, right.sum(1), searched.numpy().sum(1))

    @classmethod
    def joined(cls, parts: list[_Found]) -> _Found:
        """Return several blocks as one."""
        return cls(
            {name: np.concatenate([part.ranks[name] for part in parts]) for name in parts[0].ranks},
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.sizes for part in parts]),
        )


def _recalls(first: _Found, second: _Found, order: str) -> RetrievalUtility:
    return retrieval_utility(
        first.ranks[order],
        second.ranks[order],
        first_relevant_counts=first.counts,
        second_relevant_counts=second.counts,
        first_gallery=second.sizes,
        second_gallery=first.sizes,
    )


def _relevant(relations: Relations, first: Tensor, second: Tensor, index: Tensor, direction: int) -> Tensor:
    """Return which of a gallery answer a block of queries: (q, g), bool."""
    if direction == 0:
        return relations.matrix(first[index], second)
    return relations.matrix(first, second[index]).T


@dataclass(frozen=True)
class _Ways:
    """Scores queries both ways.

    Attributes:
        model: model that ranks.
        a: encoder outputs of the first modality.
        b: encoder outputs of the second modality.
    """

    model: RetrievalModel
    a: EncoderOutput
    b: EncoderOutput

    def orders(self, index: Tensor, direction: int, rerank: int, searched: Tensor) -> dict[str, Tensor]:
        """Score a block of queries (q, g), higher is better: by the model's rule, and by each path alone.

        Args:
            index: (q,) places of the queries.
            direction: 0 where they are of the first modality, 1 where they are of the second.
            rerank: number of candidates.
            searched: (q, g) bool, which items each query searches; no other is a candidate.

        Returns:
            Scores by name, `HEADLINE` for the model's rule; with a single path it is that path's.
        """
        if CONTRASTIVE not in self.model.paths:
            every = torch.arange(searched.shape[1]).expand(len(index), -1)
            return {HEADLINE: self._logits(index, every, direction)[..., 1]}
        if direction == 0:
            similarity = self.model.similarity(self.a.pooled[index], self.b.pooled)
        else:
            similarity = self.model.similarity(self.a.pooled, self.b.pooled[index]).T
        if MATCHING not in self.model.paths:
            return {HEADLINE: similarity}
        offered = similarity.masked_fill(~searched.to(similarity.device), -torch.inf)
        best = offered.topk(min(rerank, similarity.shape[1]), dim=1).indices
        logits = self._logits(index, best.cpu(), direction)
        own = similarity.gather(1, best)
        reranked = self.model.rerank(own.flatten(), logits.flatten(0, 1)).view_as(own)
        return {
            HEADLINE: _candidates_first(similarity, best, reranked),
            CONTRASTIVE: similarity,
            MATCHING: _candidates_first(similarity, best, logits[..., 1]),
        }

    def _logits(self, index: Tensor, candidates: Tensor, direction: int) -> Tensor:
        """Compute the (q, k, 2) matching logits of each query with its candidates (q, k)."""
        queries = index[:, None].expand_as(candidates).reshape(-1)
        gallery = candidates.reshape(-1)
        firsts, seconds = (queries, gallery) if direction == 0 else (gallery, queries)
        size = block_size(PAIRS, self.a.tokens[:1].nbytes + self.b.tokens[:1].nbytes)
        parts = of_like_length(self.a, self.b, firsts, seconds, size)
        found = [
            self.model.head(self.model.fuse(self.a[firsts[part]].trimmed(), self.b[seconds[part]].trimmed()))
            for part in parts
        ]
        return torch.cat(found)[torch.argsort(torch.cat(parts))].reshape(*candidates.shape, -1)


def _candidates_first(similarity: Tensor, candidates: Tensor, scores: Tensor) -> Tensor:
    """Put candidates (q, k) first, in the order of their scores; all others keep that of similarity."""
    ordered = scores.double()
    below = similarity.double() - similarity.max().double() + ordered.min() - 1.0
    return below.scatter(1, candidates, ordered)
