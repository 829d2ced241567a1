from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from mmulbench.audit.thumbnails import SIDE, thumbnail


def decoded(address):
    start, _, content = address.partition(",")
    assert start == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_a_picture_becomes_small_and_keeps_its_shape_and_colour():
    pixels = np.full((300, 600, 3), (200, 30, 40), dtype=np.uint8)
    found = decoded(thumbnail(pixels))
    assert found.size == (SIDE, SIDE // 2)
    assert np.abs(np.asarray(found).astype(int) - (200, 30, 40)).max() < 12


def test_a_small_one_is_not_blown_up():
    assert decoded(thumbnail(np.zeros((20, 30, 3), dtype=np.uint8))).size == (30, 20)
