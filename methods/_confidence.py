"""Say how sure a model is of pairs on every path, among held-out items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmulbench import Batch, MultimodalModel, UnlearningProblem
from mmulbench.core.data import Integers, PairData, Relations
from mmulbench.evaluation.pair_losses import EncodedPairs, Pools, associations


@dataclass(frozen=True)
class Level:
    """Says how sure a model is of held-out pairs on one path.

    Attributes:
        mean: mean of log p / (1 - p).
        sd: its standard deviation.
    """

    mean: float
    sd: float


def encode_together(model: MultimodalModel, batches: Sequence[Batch]) -> list[EncodedPairs]:
    """Encode several batches in one call, since some encoders cost the same for few items as for many.

    Args:
        model: the model.
        batches: batches of any sets.
    """
    sizes = [len(batch) for batch in batches]
    sides = []
    for modality in model.modalities:
        items = torch.cat([batch.items(modality) for batch in batches])
        whole = model.encode(modality, batches[0].features.gather(modality, items))
        starts = np.cumsum([0, *sizes])
        sides.append(
            [whole[int(start) : int(start) + size] for start, size in zip(starts, sizes, strict=False)]
        )
    return [
        EncodedPairs(a, b, batch.first, batch.second, batch.targets.labels)
        for a, b, batch in zip(*sides, batches, strict=True)
    ]


def negatives(held_out: EncodedPairs, relations: Relations) -> Pools:
    """Return held-out items as negatives of a contrastive path, without gradient.

    Args:
        held_out: held-out pairs.
        relations: all true pairs that may be known.
    """
    a, b = held_out.a.pooled.detach(), held_out.b.pooled.detach()
    return Pools(a, b, held_out.first, held_out.second, relations)


def confidences(model: MultimodalModel, pairs: EncodedPairs, pools: Pools) -> dict[str, Tensor]:
    """Return by path the (n,) log p / (1 - p) of the truth of n pairs.

    Args:
        model: the model that encoded them.
        pairs: the pairs.
        pools: negatives of a contrastive path.
    """
    found = associations(model, pairs, pools)
    return {path: -one.loss.clamp(min=1e-6).expm1().log() for path, one in found.items()}


@torch.no_grad()
def original_confidences(problem: UnlearningProblem, data: PairData) -> dict[str, Tensor]:
    """Return by path the original's (n,) confidences in all pairs of a set, among a batch of held-out items.

    Args:
        problem: gives the original and held-out pairs.
        data: the set, of n pairs.
    """
    model, new, size = problem.original, problem.validation, problem.batch_size(0)
    drawn = new.batch(problem.generator("negatives").permutation(len(new.split))[:size])
    pools = negatives(encode_together(model, [drawn])[0], new.relations)
    blocks: list[Integers] = np.array_split(np.arange(len(data.split)), max(1, len(data.split) // size))
    parts = [
        confidences(model, encode_together(model, [data.batch(block)])[0], pools)
        for block in blocks
        if len(block)
    ]
    return {path: torch.cat([part[path] for part in parts]) for path in model.paths}


def ranks_of(scores: Tensor) -> Tensor:
    """Return the (n,) ranks of scores, evenly between 0 and 1; equal scores share the middle of theirs.

    Args:
        scores: (n,) numbers.
    """
    ordered = scores.double().sort().values
    below, up_to = (torch.searchsorted(ordered, scores.double(), right=right) for right in (False, True))
    return (below + up_to) / (2 * len(scores))
