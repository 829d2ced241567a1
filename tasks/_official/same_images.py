"""Find images of different units that are the same picture, for a check of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from mmulbench.pictures import Pixels
from mmulbench.tasks._official.pair_table import SPLITS, Annotations

GROUPS_SHOWN = 20
"""Largest number of groups of images that are listed, those across splits first."""

NAMES_SHOWN = 6
"""Largest number of images that are named of a group."""


class Home(NamedTuple):
    """Says where an image is used.

    Attributes:
        split: place of the split in `SPLITS`.
        unit: number of the forget unit.
    """

    split: int
    unit: int


class SameImages:
    """Finds images of different units that are the same, pixel by pixel.

    Retrain has seen the copy too, so every number stays honest. But what is deleted and still there cannot be
    forgotten, and what is trained on and tested on says nothing of new images.

    Args:
        annotations: units and splits that the images are in.
    """

    def __init__(self, annotations: Annotations) -> None:
        self._homes: dict[str, Home] = {}
        for number, split in enumerate(SPLITS):
            for unit in annotations.splits[split].units.tolist():
                self._homes.update(dict.fromkeys(annotations.units[unit], Home(number, unit)))
        self._names: dict[bytes, list[str]] = {}

    def add(self, name: str, pixels: Pixels) -> None:
        """Note a decoded image.

        Args:
            name: name of the image in the annotations.
            pixels: (h, w, 3) RGB.
        """
        digest = hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).digest()
        self._names.setdefault(digest, []).append(name)

    def lines(self) -> list[str]:
        """Say how many images are the same, and list them, those across splits first."""
        across, within = list[list[str]](), list[list[str]]()
        for names in self._names.values():
            homes = [self._homes[name] for name in names]
            if len({home.unit for home in homes}) > 1:
                (across if len({home.split for home in homes}) > 1 else within).append(names)
        if not across and not within:
            return []
        total = sum(map(len, across)) + sum(map(len, within))
        counts = (
            f"{total:,} images of different units are the same as another, pixel by pixel: "
            f"{sum(map(len, across)):,} across splits, {sum(map(len, within)):,} in one split"
        )
        groups = [*across, *within]
        rest = len(groups) - GROUPS_SHOWN
        more = [f"and {rest:,} more groups of images that are the same"] if rest > 0 else []
        return [counts, *map(self._line, groups[:GROUPS_SHOWN]), *more]

    def _line(self, names: Sequence[str]) -> str:
        """Name the images of a group, each with its split."""
        ordered = sorted(names, key=lambda name: (self._homes[name].split, name))
        shown = [f"{name} ({SPLITS[self._homes[name].split]})" for name in ordered[:NAMES_SHOWN]]
        rest = len(names) - NAMES_SHOWN
        return " = ".join([*shown, f"{rest:,} more"] if rest > 0 else shown)
