"""Take down what a model ranks first for some of the forget units, so that a reader sees what it forgot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from mmulbench.core.data import Integers, Split
from mmulbench.core.encoding import ItemEncoder
from mmulbench.core.metric import HEADLINE
from mmulbench.core.model import CLASSIFICATION, MultimodalModel, RetrievalModel
from mmulbench.evaluation.measure import PAIR_BLOCK, EvaluationSets, encoded_pairs
from mmulbench.evaluation.retrieval import Ordered, Search, ordered, searches
from mmulbench.progress import Progress
from mmulbench.records.rankings import PLACES, Rankings
from mmulbench.seeds import generator

UNITS = 100
"""Most forget units whose rankings are kept."""

PAIRS = 2
"""Most pairs of a unit whose classes are kept."""


def ranked_units(units: Integers, seed: int) -> Integers:
    """Choose the forget units whose rankings are kept: all, or a draw that depends on the seed alone.

    Args:
        units: (u,) the forget set's units.
        seed: seed of the run.

    Returns:
        At most `UNITS` units, ascending.
    """
    return np.sort(generator(seed, "ranked units").permutation(np.unique(units))[:UNITS])


@torch.no_grad()
def first_places(
    model: MultimodalModel, sets: EvaluationSets, units: Integers, progress: Progress
) -> Rankings:
    """Rank candidates for units of the forget set, in the galleries in which the set's utility is measured.

    A retrieval model is asked both ways on each of its paths: what belongs to a unit, and what to the first
    item of the second modality that is to be forgotten of it. A classifier is asked for the classes of the
    unit's first pairs.

    Args:
        model: any model of the task; set to evaluation mode.
        sets: sets that it is judged on.
        units: (u,) units of the forget set, at least one.
        progress: display of a bar.

    Returns:
        The first places; those of a query on a path stand together, the best first.
    """
    encoder, chosen = ItemEncoder(model.eval(), sets.features), sets.splits["forget"].only(units)
    if not isinstance(model, RetrievalModel):
        return _classes(model, chosen, encoder)
    parts = [
        Search(part.queries.only(units), part.distractors or part.queries)
        for part in searches(sets.splits["forget"], sets.gallery_of(model), sets.galleries.get("forget"))
    ]
    parts = [part for part in parts if len(part.queries)]
    found: list[Rankings] = []
    for part in progress.track(parts, len(parts), "first places"):
        first = part.queries.at(_places_in(part.queries.first) == 0)
        search = Search(part.queries, part.distractors, (first.first, first.second))
        for block in ordered(model, search, sets.relations, encoder, sets.rerank):
            found += _places(block, first, model.paths)
    return Rankings.joined(found)


def _places(block: Ordered, asked: Split, paths: tuple[str, ...]) -> Iterator[Rankings]:
    """Yield the first places of a block's queries on each path."""
    queries = block.queries.numpy()
    every = asked.second if block.direction else asked.first
    mine = np.flatnonzero(np.isin(every, queries))
    rows = torch.from_numpy(np.searchsorted(queries, every[mine]))
    for path in paths:
        scores = block.orders[path if len(paths) > 1 else HEADLINE].double().cpu()
        offered = scores.masked_fill(~block.searched, -torch.inf)[rows]
        best = torch.sort(offered, dim=1, descending=True, stable=True).indices[:, :PLACES]
        number, place = block.searched[rows].gather(1, best).numpy().nonzero()
        yield Rankings(
            unit=asked.first[mine][number],
            path=np.full(len(number), path),
            side=np.full(len(number), block.direction),
            item=every[mine][number],
            place=place + 1,
            found=block.gallery.numpy()[best.numpy()[number, place]],
            is_true=block.relevant[rows].gather(1, best).numpy()[number, place],
            probability=np.full(len(number), np.nan),
        )


def _classes(model: MultimodalModel, split: Split, encoder: ItemEncoder) -> Rankings:
    """Rank the classes of the first pairs of each unit by their probabilities."""
    pairs = split.at(_places_in(split.first) < PAIRS)
    assert pairs.label is not None
    size, blocks = encoder.block(PAIR_BLOCK, *model.modalities), []
    for start in range(0, len(pairs), size):
        part = encoded_pairs(model, pairs, encoder, slice(start, start + size))
        blocks.append(model.head(model.fuse(part.a, part.b)).double().softmax(1).cpu())
    likely = torch.sort(torch.cat(blocks), dim=1, descending=True, stable=True)
    best, shares = likely.indices[:, :PLACES].numpy(), likely.values[:, :PLACES].numpy()
    number = np.repeat(np.arange(len(pairs)), best.shape[1])
    return Rankings(
        unit=pairs.first[number],
        path=np.full(len(number), CLASSIFICATION),
        side=np.zeros(len(number), dtype=np.int64),
        item=pairs.second[number],
        place=np.tile(np.arange(best.shape[1]), len(pairs)) + 1,
        found=best.ravel(),
        is_true=best.ravel() == pairs.label[number],
        probability=shares.ravel(),
    )


def _places_in(units: Integers) -> Integers:
    """Return for each pair how many pairs of its unit come before it."""
    order = np.argsort(units, kind="stable")
    _, starts, counts = np.unique(units[order], return_index=True, return_counts=True)
    before = np.empty(len(units), dtype=np.int64)
    before[order] = np.arange(len(units)) - np.repeat(starts, counts)
    return before
