"""Order items, draw lots, and split genes, as good as at random but always in the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mmulbench.tasks._official.pair_table import SPLITS

T = TypeVar("T")


def shuffled(items: Iterable[T], key: str) -> list[T]:
    """Return items in an order that is as good as random, and fixed: that of their hashes.

    Args:
        items: different items to order.
        key: name of the order; another name gives another order.
    """
    return sorted(items, key=lambda item: hashlib.sha256(f"{key}/{item}".encode()).digest())


def lots(count: int, key: str) -> NDArray[np.float64]:
    """Draw two numbers between 0 and 1 for each of some items that are as good as random, and fixed.

    Args:
        count: number of items.
        key: name of the draw; another name gives other numbers.

    Returns:
        (count, 2) numbers, which a hash of the name is cut into.
    """
    digest = hashlib.shake_256(key.encode()).digest(16 * count)
    return np.frombuffer(digest, dtype=">u8").reshape(count, 2) / 2.0**64


def split_genes(genes: Iterable[str], key: str) -> dict[str, set[str]]:
    """Draw 80 / 10 / 10 % of the genes for train, validation and test.

    Args:
        genes: different genes; validation and test get at least one each.
        key: name of the draw; another name gives another draw.

    Returns:
        Genes by the name of their split.
    """
    order = shuffled(genes, key)
    tenth = max(len(order) // 10, 1)
    parts = (order[2 * tenth :], order[tenth : 2 * tenth], order[:tenth])
    return dict(zip(SPLITS, map(set, parts), strict=True))
