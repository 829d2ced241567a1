"""Images as inputs of the encoders that train: resized pixels, and how a model normalises them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmulbench.cache.block_layout import Blockwise

Triple = tuple[float, float, float]
"""A number each for red, green and blue."""

HALF: Triple = (0.5, 0.5, 0.5)
"""As mean and deviation: pixels end up in [-1, 1]."""

CLIP_MEAN: Triple = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Triple = (0.26862954, 0.26130258, 0.27577711)
"""Mean and deviation of CLIP's training images; ALBEF and BLIP were published with the same."""


class Normalisation(nn.Module):
    """Pixels as an encoder was trained to see them: (pixels / 255 - mean) / std.

    Args:
        mean: (r, g, b) to subtract from pixels in [0, 1].
        std: (r, g, b) to divide by afterwards.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Triple, std: Triple) -> None:
        super().__init__()
        for name, channels in (("mean", mean), ("std", std)):
            # The configuration has them, so weights need not.
            self.register_buffer(name, torch.tensor(channels)[:, None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (n, 3, h, w) of images (n, h, w, 3) uint8, or of groups of images (b, k, h, w, 3)."""
        values = pixels.flatten(0, -4).permute(0, 3, 1, 2).float() / 255
        return (values - self.mean) / self.std


def resized_pixels(images: Any, size: int, block: int = 64) -> Blockwise:
    """Return images resized to size x size pixels (bicubic).

    Args:
        images: a sequence of n images, (h, w, 3) uint8 each, decoded when they are read.
        size: pixels on each side.
        block: number of images resized at a time.

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
    """Return images in one size, (n, size, size, 3) uint8.

    Args:
        images: n images, (h, w, 3) uint8 each.
        size: pixels on each side.
        how: Pillow's resampling filter.
    """
    from PIL import Image

    resample = Image.Resampling[how.upper()]
    done = [np.asarray(Image.fromarray(image).resize((size, size), resample)) for image in images]
    return np.stack(done)
