"""Keep one of the pictures that look almost the same, so that deleting a picture deletes what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmulbench import Progress
from mmulbench.tasks._pictures.twemoji import read_pictures

TWINS = 0.95
"""Correlation of two pictures' pixels above which they are near twins, such as a man and a woman who run."""


class WithPicture(Protocol):
    """Describes an entry of a task that has a picture."""

    @property
    def file(self) -> Path:
        """File of the picture, named by code points with ``-`` between them."""


E = TypeVar("E", bound=WithPicture)


def distinct_pictures(entries: Sequence[E], progress: Progress) -> tuple[list[E], NDArray[np.uint8]]:
    """Read the pictures of entries, and leave out each that is a near twin of one that is kept.

    A model that never saw a test picture, or had to forget one, must not have its near twin in training.
    Twins could also be made one forget unit; but a unit is one picture in all tasks, methods and metrics, and
    what a set of twins belongs with is mostly the same. So one of each set is kept: the picture with the
    fewest code points, which is the form without gender or direction; of several such the first by name.

    Args:
        entries: entries in a fixed order.
        progress: where the number of pictures read is shown.

    Returns:
        The entries kept, in their order, and their pictures (n, 72, 72, 3).
    """
    images = read_pictures([entry.file for entry in entries], progress)
    stems = [entry.file.stem for entry in entries]
    order = sorted(range(len(stems)), key=lambda place: (stems[place].count("-"), stems[place]))
    kept = np.sort(_without_twins(correlations(images), order))
    return [entries[place] for place in kept], images[kept]


def _without_twins(correlation: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.int64]:
    """Go through pictures in an order, and keep each that is no near twin of one kept before."""
    free = np.ones(len(correlation), dtype=bool)
    kept = []
    for place in order:
        if free[place]:
            kept.append(place)
            free &= correlation[place] <= TWINS
    return np.array(kept, dtype=np.int64)


def correlations(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the (n, n) Pearson correlations of pictures, over all pixels and colours.

    Args:
        images: (n, h, w, 3) pixels of pictures that are not of a single colour.
    """
    values = images.reshape(len(images), -1).astype(np.float32)
    values -= values.mean(1, keepdims=True)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    found: NDArray[np.float32] = values @ values.T
    return found
