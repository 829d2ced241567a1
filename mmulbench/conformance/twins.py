"""Find pictures that look almost the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmulbench.core.data import Integers

TWINS = 0.95
"""Correlation of two pictures' pixels above which they are near twins."""

SIDE = 72
"""Side in pixels of the pictures that are compared."""

BLOCK = 256
"""Number of pictures that are compared at a time."""


def share_with_twins(images: Any, asked: Integers, others: Integers) -> float:
    """Return the share of some pictures that have a near twin among others.

    Args:
        images: pictures (h, w, 3), uint8.
        asked: (a,) numbers of the pictures that twins are looked for.
        others: (o,) numbers of the pictures among which they are looked for.
    """
    if not len(asked) or not len(others):
        return 0.0
    left = np.concatenate([*_blocks(images, asked)])
    highest = np.max([(left @ right.T).max(1) for right in _blocks(images, others)], axis=0)
    return float((highest > TWINS).mean())


def _blocks(images: Any, numbers: Integers) -> Iterator[NDArray[np.float32]]:
    """Yield pictures as rows whose products are correlations; one of a single colour correlates with none."""
    for start in range(0, len(numbers), BLOCK):
        found = np.stack([_small(np.asarray(images[number])) for number in numbers[start : start + BLOCK]])
        rows = found.reshape(len(found), -1).astype(np.float32)
        rows -= rows.mean(1, keepdims=True)
        yield rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture at the size at which pictures are compared."""
    if image.shape[:2] == (SIDE, SIDE):
        return image
    return np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX))
