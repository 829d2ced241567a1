"""Images as the inputs of encoders that train."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from mmulbench.model import Blockwise


def resized_pixels(images: Any, size: int, block: int = 64) -> Blockwise:
    """Images resized to size x size pixels (bicubic).

    Args:
        images: a sequence of n images, (h, w, 3) uint8 each, decoded when they are read.
        size: pixels a side.
        block: images at a time.

    Returns:
        ``pixels``: (n, size, size, 3) uint8.
    """

    def compute(rows: range) -> torch.Tensor:
        return torch.from_numpy(resized(images[rows.start : rows.stop], size, "bicubic"))

    workers = os.cpu_count() or 1  # decoding and resizing let go of Python's lock
    return Blockwise(
        "pixels", len(images), (size, size, 3), torch.uint8, compute, block, workers, "resize images"
    )


def resized(images: Iterable[Any], size: int, how: Literal["bilinear", "bicubic"]) -> NDArray[np.uint8]:
    """(n, size, size, 3) uint8 of n images, (h, w, 3) uint8 each."""
    from PIL import Image

    resample = Image.Resampling[how.upper()]
    done = [np.asarray(Image.fromarray(image).resize((size, size), resample)) for image in images]
    return np.stack(done)
