"""Make wrong answers for deleted pairs: another class, or a text that does not belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mmulbench import Batch, PairData, Relations, Split


def wrong_labels(labels: Tensor, classes: int) -> Tensor:
    """Draw a class for each pair, all equally likely but its own, with torch's global generator.

    Args:
        labels: (b,) true classes.
        classes: number of classes, at least two.

    Returns:
        (b,) wrong classes.
    """
    step = torch.randint(1, classes, labels.shape).to(labels.device)
    return (labels + step) % classes


def false_pairs(batch: Batch, source: PairData) -> Batch:
    """Pair a batch's items of the first modality with unrelated items of the second, as if that were true.

    The drawn pairs are the only related ones of the new batch; the pairs that were true are not among them.

    Args:
        batch: b true pairs.
        source: set whose items of the second modality are drawn; frequent items are drawn more often.

    Returns:
        b pairs; their rows are not those of training pairs.

    Raises:
        ValueError: Hardly any item of the source is unrelated.
    """
    second = _unrelated(batch.first, source).numpy()
    split = Split(batch.first.numpy(), second)
    return replace(source, split=split, relations=Relations(split)).batch(np.arange(len(split)))


def _unrelated(first: Tensor, source: PairData, tries: int = 100) -> Tensor:
    """Draw for each item of the first modality one of the second that does not belong with it.

    Raises:
        ValueError: Hardly any item of the source is unrelated.
    """
    pool = torch.from_numpy(source.split.second)
    found = pool[torch.randint(len(pool), first.shape)]
    for _ in range(tries):
        true = source.relations.pairwise(first, found).nonzero()[:, 0]
        if len(true) == 0:
            return found
        found[true] = pool[torch.randint(len(pool), true.shape)]
    raise ValueError(f"{len(true)} deleted items belong with nearly every item of the retain set")
