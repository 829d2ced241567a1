"""Images of all forms are decoded as RGB."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from official_data import load, paths_of
from PIL import Image

from mmulbench.tasks._official.images import read_image


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


def test_transparent_parts_are_white(tmp_path):
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(tmp_path / "a.png")
    indexed = Image.new("P", (4, 4), 1)
    indexed.putpalette([0, 0, 0, 200, 0, 0])
    indexed.putpixel((0, 0), 0)
    indexed.save(tmp_path / "b.png", transparency=0)
    for name in "ab":
        pixels = read_image(tmp_path / f"{name}.png")
        assert pixels[0, 0].tolist() == [255, 255, 255] and pixels[1, 1].tolist() == [200, 0, 0]


def test_colours_survive_cmyk(tmp_path):
    Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - (250, 10, 10)).max() < 20
