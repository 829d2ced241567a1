"""Images of all forms are decoded as RGB."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from official_data import load, paths_of
from PIL import Image


def test_images_of_all_kinds_are_rgb(kept):
    for name in ("flickr30k", "nlvr2"):
        data = load(name, kept)
        images, modes = data.items["image"].images, Counter()
        for index, file in enumerate(paths_of(data)):
            with Image.open(file) as opened:
                modes[opened.format, opened.mode] += 1
                size = opened.size
            assert images[index].dtype == np.uint8 and images[index].shape == (*size[::-1], 3)
        expected = (
            {("JPEG", "L"), ("JPEG", "CMYK")} if name == "flickr30k" else {("PNG", "RGBA"), ("JPEG", "RGB")}
        )
        assert expected < {*modes}


def test_a_sequence_of_images(kept):
    images = load("flickr30k", kept).items["image"].images
    assert len({image.shape for image in images}) > 5
    part = images[3:6]
    assert len(part) == 3 and np.array_equal(part[0], images[3])
    assert np.array_equal(images[-1], images[len(images) - 1])
    with pytest.raises(IndexError):
        images[len(images)]
