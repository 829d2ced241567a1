"""Decode foreign picture files as RGB: upright, 16 bits scaled, refused where a part is missing."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmulbench.broken_off import refuse_broken_off
from mmulbench.errors import MmulbenchError, text_of
from mmulbench.file_digests import ContentChanged, check_content
from mmulbench.lfs_pointers import LFS_PULL, is_lfs_pointer

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.uint8]

DECODING = 2
"""Version of what `read_image` gives, a part of the data's fingerprint: inputs made by another are not used.
Version 1 cut 16-bit grey off at 255, and left pictures as their cameras stored them."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
"""Formats that are decoded, told by content: many of NLVR2's ``.png`` files are not PNG. Pillow's other
decoders are never called."""

TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")
"""Pillow's modes of images that have transparent parts."""

WHITE16 = 65_535
"""White in pictures of 16-bit grey, which Pillow's modes I and I;16 hold."""


def read_image(image: Path | bytes, where: str = "", digest: str = "") -> Pixels:
    """Decode an image as RGB, upright.

    Grey and CMYK are converted, 16 bits are scaled to 8, and transparent parts are put on white. As in the
    library `datasets`, the picture is turned as its EXIF orientation says. What was never written to its end
    is refused.

    Args:
        image: path of a file, or the content of one.
        where: what messages call the image; its path where empty.
        digest: SHA-256 that the content must have; where empty, it may be any.

    Returns:
        (h, w, 3) RGB.

    Raises:
        ContentChanged: if the content has another digest.
        MmulbenchError: if the image cannot be decoded, or has more pixels than Pillow takes for safe.
    """
    from PIL import Image

    where = where or str(image)
    try:
        content = image if isinstance(image, bytes) else image.read_bytes()
        if digest:
            check_content(content, digest, where)
        if is_lfs_pointer(content):
            raise MmulbenchError(f"it is {LFS_PULL}")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", "Corrupt EXIF")
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                refuse_broken_off(content, opened.format)
                return _as_rgb(_upright(opened))
    except ContentChanged:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise MmulbenchError(f"{where}: refused as a decompression bomb: {error}") from error
    except Exception as error:  # decoders raise all kinds on damaged bytes
        reason = text_of(error)
        raise MmulbenchError(f"{where}: cannot be decoded as an image: {reason}") from error


def _upright(opened: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF orientation says; one whose EXIF cannot be read stays as it is."""
    from PIL import ImageOps

    opened.load()  # here, so that damaged pixels are not taken for damaged EXIF
    try:
        return ImageOps.exif_transpose(opened)
    except Exception:  # as above; viewers show such pictures unturned
        return opened


def _as_rgb(picture: Image.Image) -> Pixels:
    """Return a decoded picture of any mode as (h, w, 3) RGB, its transparent parts white."""
    from PIL import Image

    if picture.mode.startswith("I"):
        return _grey16(np.asarray(picture).astype(np.int64), picture.info.get("transparency"))
    if picture.mode in TRANSPARENT or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        canvas = Image.new("RGBA", picture.size, "white")
        canvas.alpha_composite(picture)
        picture = canvas
    return np.asarray(picture.convert("RGB"))


def _grey16(values: NDArray[np.int64], transparent: int | None) -> Pixels:
    """Scale 16-bit grey to 8 bits, which Pillow would cut off at 255.

    Args:
        values: (h, w) grey from 0 to `WHITE16`.
        transparent: grey that stands for transparent parts; None where there are none.
    """
    if transparent is not None:
        values = np.where(values == transparent, WHITE16, values)
    grey = (values / WHITE16 * 255).round().astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
