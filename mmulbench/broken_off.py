"""Refuse images that were never written to their end, which decoders fill with grey without a word."""

from __future__ import annotations

import io
import re

from mmulbench.errors import MmulbenchError

MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""A JPEG marker that begins a segment, or the end: none of the signs that stand inside of coded pixels."""

END_OF_IMAGE = b"\xff\xd9"

BMP = b"BM"
"""What a BMP begins with."""

WEBP_HEADER = 12
"""Number of bytes before a WebP's first chunk."""

WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ALPH", b"ANMF")
"""Names of the chunks of a WebP that hold pixels; others may well end in zeros, such as padded EXIF."""

FEWEST_ZEROS = 256
"""Smallest number of zero bytes at the end that is told from chance."""

LARGEST_SHARE = 0.05
"""Largest share of a coded image that may be zeros at its end."""


def refuse_broken_off(content: bytes, form: str | None) -> None:
    """Refuse an image of which the end was never written: a download into a file made at full size.

    A JPEG must have its end-of-image marker, and every chunk of a PNG its checksum. A WebP has neither, so it
    is refused where its pixels end in zeros that no encoder writes. GIF decoders find it out themselves. A
    BMP cannot be told from a picture with black rows: see `doubt_about`.

    Args:
        content: the whole file.
        form: Pillow's name of its format.

    Raises:
        MmulbenchError: if a part is missing.
        Exception: if a chunk of a PNG is damaged, whatever Pillow raises then.
    """
    if form in ("JPEG", "MPO") and not _has_end(content):
        raise MmulbenchError("a part is missing: it has no end-of-image marker")
    if form == "PNG":
        from PIL import Image

        Image.open(io.BytesIO(content), formats=("PNG",)).verify()
    if form == "WEBP":
        for pixels in _webp_pixels(content):
            if zeros := zeros_at_the_end(pixels):
                raise MmulbenchError(f"a part is missing: its last {zeros:,} bytes are zero")


def doubt_about(content: bytes) -> str:
    """Say in a line what is odd about an image that is not refused; nothing about most.

    Args:
        content: the whole file.
    """
    zeros = zeros_at_the_end(content) if content.startswith(BMP) else 0
    return f"its last {zeros:,} bytes are zero: black rows, or never written" if zeros else ""


def zeros_at_the_end(content: bytes) -> int:
    """Count the zero bytes that end a content, or none where they may be chance."""
    count = len(content) - len(content.rstrip(b"\0"))
    return count if count >= max(FEWEST_ZEROS, LARGEST_SHARE * len(content)) else 0


def _has_end(content: bytes) -> bool:
    """Tell whether a JPEG has its end-of-image marker, that of a thumbnail inside a segment aside."""
    place = 0
    while found := MARKER.search(content, place):
        if found[0] == END_OF_IMAGE:
            return True
        place = found.end()
        place += int.from_bytes(content[place : place + 2], "big")
    return False


def _webp_pixels(content: bytes) -> list[bytes]:
    """Return the chunks of a WebP that hold pixels."""
    found, place = [], WEBP_HEADER
    while head := content[place : place + 8]:
        size = int.from_bytes(head[4:], "little")
        if head[:4] in WEBP_PIXELS:
            found.append(content[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return found
