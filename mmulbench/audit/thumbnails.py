"""Make small pictures that lie in the page itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 112
"""Most pixels of a side."""

QUALITY = 80
"""Quality of JPEG."""


def thumbnail(pixels: NDArray[np.generic], side: int = SIDE) -> str:
    """Return a picture as a small JPEG in a ``data:`` address.

    Args:
        pixels: (h, w, 3) RGB, uint8.
        side: most pixels of a side.
    """
    from PIL import Image

    picture: Any = Image.fromarray(np.asarray(pixels, dtype=np.uint8), "RGB")
    picture.thumbnail((side, side))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
