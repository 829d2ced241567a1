"""Images whose end was never written are refused, and whole ones of all kinds are not."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmulbench.broken_off import FEWEST_ZEROS, doubt_about, zeros_at_the_end
from mmulbench.errors import MmulbenchError
from mmulbench.pictures import read_image

NOISE = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)

FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {}),
    "optimised jpeg": ("JPEG", {"optimize": True}),
    "progressive jpeg": ("JPEG", {"progressive": True}),
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "webp": ("WEBP", {}),
    "lossless webp": ("WEBP", {"lossless": True}),
}
"""By name, Pillow's format and options of everything that can be told; BMP cannot."""


def stored(form: str, pixels: np.ndarray = NOISE, **more: Any) -> bytes:
    file = io.BytesIO()
    name, options = FORMS[form]
    Image.fromarray(pixels).save(file, name, **options, **more)
    return file.getvalue()


def broken_off(content: bytes, part: float) -> bytes:
    """As long as before, but zeros after a part."""
    kept = round(part * len(content))
    return content[:kept] + bytes(len(content) - kept)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", [0.25, 0.5, 0.75, 0.9])
def test_zeros_in_place_of_the_rest_are_refused(form, part):
    with pytest.raises(MmulbenchError, match="x: cannot be decoded as an image: "):
        read_image(broken_off(stored(form), part), "x")


@pytest.mark.parametrize("part", np.linspace(0.05, 0.99, 20))
def test_a_png_is_refused_wherever_it_breaks_off(part):
    with pytest.raises(MmulbenchError):
        read_image(broken_off(stored("png"), part), "x")


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture():
    """The marker is there, but inside a segment, where cameras keep a small JPEG."""
    segment = b"Exif\0\0" + stored("jpeg", NOISE[:16, :16])
    head, content = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big"), stored("jpeg")
    content = content[:2] + head + segment + content[2:]
    assert b"\xff\xd9" in broken_off(content, 0.5)
    read_image(content, "x")
    with pytest.raises(MmulbenchError, match="a part is missing: it has no end-of-image marker"):
        read_image(broken_off(content, 0.5), "x")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((300, 400, 3), dtype=np.uint8),
        np.full((300, 400, 3), 255, dtype=np.uint8),
        np.concatenate([NOISE, np.zeros_like(NOISE), np.zeros_like(NOISE)]),
        NOISE[:1],
    ],
    ids=["black", "white", "black below", "one row"],
)
def test_whole_pictures_are_read(form, pixels):
    assert read_image(stored(form, pixels), "x").shape == pixels.shape


def test_what_follows_the_picture_may_be_zeros():
    assert read_image(stored("jpeg") + bytes(9999), "x").shape == NOISE.shape
    exif = Image.Exif()
    exif[0xEA1C] = bytes(9999)  # some programs leave room for more
    assert read_image(stored("webp", exif=exif.tobytes()), "x").shape == NOISE.shape


def test_zeros_are_counted_where_they_are_no_chance():
    assert zeros_at_the_end(b"a" + bytes(FEWEST_ZEROS)) == FEWEST_ZEROS
    assert zeros_at_the_end(b"a" + bytes(FEWEST_ZEROS - 1)) == 0
    assert zeros_at_the_end(bytes([1]) * 100_000 + bytes(FEWEST_ZEROS)) == 0


def test_a_bmp_that_ends_in_zeros_is_doubtful_not_refused():
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, "BMP")
    assert doubt_about(file.getvalue()) == ""
    broken = broken_off(file.getvalue(), 0.5)
    assert "zero: black rows, or never written" in doubt_about(broken)
    assert read_image(broken, "x").shape == NOISE.shape
    assert doubt_about(broken_off(stored("jpeg"), 0.5)) == ""
