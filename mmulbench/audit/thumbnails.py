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


def thumbnail(pixels: NDArray[np.generic]) -> str:
    """Return a picture as a small JPEG in a ``data:`` address.

    Args:
        pixels: (h, w, 3) RGB, uint8.
    """
    from PIL import Image

    picture: Any = Image.fromarray(np.asarray(pixels, dtype=np.uint8), "RGB")
    picture.thumbnail((SIDE, SIDE))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
