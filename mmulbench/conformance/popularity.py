"""Retrieve texts by how often they occur in training: what a gallery gives away without any model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmulbench.core.data import Integers, Split

TOP = 10
"""Number of texts that are retrieved."""


class PopularityRecall(NamedTuple):
    """Holds how well the most frequent texts answer.

    Attributes:
        recall: share of units that have one of the `TOP` texts that are most frequent in training.
        chance: the same share when texts are drawn at random.
    """

    recall: float
    chance: float


def popularity_recall(base: Split, asked: Split, gallery: Integers) -> PopularityRecall:
    """Answer all units with the same texts of a gallery: those with the most pairs.

    Args:
        base: pairs that are counted.
        asked: pairs of the units whose texts are searched.
        gallery: (g,) different texts that are searched, those of ``asked`` among them.
    """
    count = np.bincount(base.second, minlength=int(gallery.max()) + 1)[gallery]
    top = min(TOP, len(gallery))
    least = np.sort(count)[-top]
    sure, tied = gallery[count > least], gallery[count == least]
    own = [asked.second[asked.first == unit] for unit in asked.units]
    hits = [
        1.0
        if np.isin(texts, sure).any()
        else 1 - _none(len(tied), int(np.isin(texts, tied).sum()), top - len(sure))
        for texts in own
    ]
    chances = [1 - _none(len(gallery), len(np.unique(texts)), top) for texts in own]
    return PopularityRecall(float(np.mean(hits)), float(np.mean(chances)))


def _none(total: int, marked: int, drawn: int) -> float:
    """Return the chance that none of some marked items is among those drawn without replacement."""
    if marked + drawn > total:
        return 0.0
    return float(np.prod(1 - marked / (total - np.arange(drawn))))
