"""Near twins are found at any size, and noise has none."""

from __future__ import annotations

import numpy as np

from mmulbench.conformance.twins import share_with_twins

NOISE = np.random.default_rng(0).integers(0, 256, (8, 24, 24, 3), dtype=np.uint8)


def test_a_picture_that_hardly_differs_is_a_twin():
    images = [*NOISE, NOISE[0] // 16 * 16, np.full((30, 20, 3), 7, dtype=np.uint8)]
    others = np.arange(1, 9)
    assert share_with_twins(images, np.array([0, 1]), np.arange(2, 9)) == 0.5
    assert share_with_twins(images, np.array([0]), others[:-1]) == 0
    assert share_with_twins(images, np.array([9]), np.array([9, 0])) == 0
    assert share_with_twins(images, np.array([], dtype=np.int64), others) == 0
