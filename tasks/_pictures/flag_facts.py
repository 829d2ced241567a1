"""Say what is certain of a flag: its colours, and symbols where the caption leaves nothing open."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmulbench.tasks._pictures.factbook_flags import Flag
from mmulbench.tasks._pictures.statements import Statement

COLOURS = {
    "red": ("red", "crimson", "scarlet", "vermilion", "maroon", "carmine"),
    "blue": ("blue", "navy", "azure", "turquoise", "aquamarine", "cerulean", "cobalt", "ultramarine"),
    "yellow": ("yellow", "gold", "golden"),
    "green": ("green",),
    "white": ("white",),
    "black": ("black",),
}
"""By colour that statements are made about, a caption's words for it. Orange, brown and grey are left out,
since one may call orange red or yellow, and every picture's edges are grey."""

SHOWN = 0.01
"""Smallest share of the picture on which a colour is shown."""

ABSENT = 0.002
"""Largest share of the picture that may be mistaken for a colour which is absent. It is not zero, because the
edge between two colours mixes them."""

INSIDE = slice(10, 62), slice(8, 64)
"""Rows and columns of a picture that the flag fills; around it is white ground."""


class SymbolWords(NamedTuple):
    """Holds patterns of a caption's words on a symbol.

    Attributes:
        shown: pattern of words that say that the flag shows the symbol.
        unsettled: pattern of words that leave open whether the flag shows the symbol.
    """

    shown: str
    unsettled: str


SYMBOLS = {
    "a star": SymbolWords(r"stars?", r"stars?"),
    "a crescent": SymbolWords(r"crescent", r"crescents?|moon"),
    "a triangle": SymbolWords(r"triangles?", r"triangles?|diagonal\w*|cross|diamond"),
    "a cross": SymbolWords(r"cross", r"cross|(?=.*horizontal).*vertical"),
    "a disk": SymbolWords(r"disks?", r"disks?|circles?"),
    "horizontal bands": SymbolWords(r"horizontal (?:bands|stripes)", r"horizontal|cross|stripes"),
    "vertical bands": SymbolWords(r"vertical (?:bands|stripes)", r"vertical|cross|stripes"),
}
"""By symbol, the words of captions on it."""

VOCABULARY = {
    word
    for words in (
        " ".join(word for words in COLOURS.values() for word in words),
        "orange brown gray light dark sky pale bright",
        "star stars crescent crescent's moon triangle triangles cross disk circle diamond rectangle square",
        "five pointed six seven eight two three four nine one equal isosceles equilateral width",
        "horizontal vertical vertically diagonal diagonally wavy band bands stripe stripes field border",
        "double triple narrow wide wider thin large larger small smaller broad plain style",
        "top bottom left right side sides center centered middle central upper lower corner corners half",
        "quarter quadrant edge edges edged outlined bordered opening points point set end ends",
        "alternating extends extending divided divides shifted separated arranged sits appears based",
        "across over above below under between into onto toward slightly just outside inside around each",
        "a an the of in on with and is are at to that has have it its by from both other flag",
        # The Nordic cross, named after Denmark's.
        "dannebrog danish known as",
    )
    for word in words.split()
}
"""Words of captions that are understood in full."""


class ColourShare(NamedTuple):
    """Holds how much of a picture has a colour.

    Attributes:
        certain: share of pixels that certainly have the colour.
        possible: share of pixels that may be said to have the colour.
    """

    certain: float
    possible: float


@dataclass(frozen=True)
class Facts:
    """Holds what is certain of one flag.

    Attributes:
        shown: colours that the caption names and the picture shows.
        absent: colours that the caption does not name and the picture does not show.
        has: symbols that the caption names.
        lacks: symbols that the caption, understood in full, does not name.
    """

    shown: frozenset[str]
    absent: frozenset[str]
    has: frozenset[str]
    lacks: frozenset[str]


def certain_facts(flag: Flag, image: NDArray[np.uint8]) -> Facts:
    """Find the facts on which two sources agree, or on which a caption leaves nothing open.

    A colour is certain where caption and pixels agree. A symbol is certain only where every word of the
    caption is in a vocabulary of colours, shapes and places: such a caption is understood in full, and what
    it does not name is not there. A coat of arms or another flag within the flag, whose contents nobody
    lists, is outside the vocabulary.

    Args:
        flag: flag with its description.
        image: (72, 72, 3) picture of the flag.
    """
    caption = " ".join(flag.description).lower()
    words = set(re.findall(r"[a-z']+", caption))
    named = {colour for colour, names in COLOURS.items() if words & {*names}}
    shares = colour_shares(image)
    shown = {colour for colour in named if shares[colour].certain >= SHOWN}
    absent = {colour for colour in COLOURS if colour not in named and shares[colour].possible <= ABSENT}
    has, lacks = set(), set()
    if words <= VOCABULARY:
        for symbol, patterns in SYMBOLS.items():
            if re.search(rf"\b(?:{patterns.shown})\b", caption):
                has.add(symbol)
            elif not re.search(rf"\b(?:{patterns.unsettled})\b", caption):
                lacks.add(symbol)
    return Facts(*(frozenset(part) for part in (shown, absent, has, lacks)))


def colour_shares(image: NDArray[np.uint8]) -> dict[str, ColourShare]:
    """Measure how much of a picture has each colour.

    White is counted within the flag only, since the pictures stand on white.

    Args:
        image: (72, 72, 3) picture of a flag.
    """
    from matplotlib.colors import rgb_to_hsv

    hsv = rgb_to_hsv(image / 255.0)
    hue, saturation, value = hsv[..., 0] * 360, hsv[..., 1], hsv[..., 2]
    red = (hue < 12) | (hue > 340), (hue < 18) | (hue > 325)
    masks = {
        "red": (red[0] & (saturation > 0.6) & (value > 0.5), red[1] & (saturation > 0.25)),
        "blue": (
            (hue > 190) & (hue < 250) & (saturation > 0.35) & (value > 0.25),
            (hue > 170) & (hue < 275) & (saturation > 0.12) & (value > 0.2),
        ),
        "yellow": (
            (hue > 36) & (hue < 62) & (saturation > 0.5) & (value > 0.8),
            (hue > 28) & (hue < 72) & (saturation > 0.2) & (value > 0.5),
        ),
        "green": (
            (hue > 75) & (hue < 175) & (saturation > 0.3) & (value > 0.25),
            (hue > 65) & (hue < 190) & (saturation > 0.12),
        ),
        "white": (
            (saturation < 0.12) & (value > 0.85),
            (saturation < 0.35) & (value > 0.6),
        ),
        "black": (value < 0.25, value < 0.35),
    }
    parts = {colour: INSIDE if colour == "white" else (slice(None), slice(None)) for colour in masks}
    return {
        colour: ColourShare(float(certain[parts[colour]].mean()), float(possible[parts[colour]].mean()))
        for colour, (certain, possible) in masks.items()
    }


def hypotheses(facts: Facts) -> list[Statement]:
    """Make every statement that the picture settles: true ones follow from it, false ones contradict it."""
    shown, absent = sorted(facts.shown), sorted(facts.absent)
    found = [Statement(f"there is {colour} in the flag", True) for colour in shown]
    found += [Statement(f"there is no {colour} in the flag", False) for colour in shown]
    found += [Statement(f"there is {colour} in the flag", False) for colour in absent]
    found += [Statement(f"there is no {colour} in the flag", True) for colour in absent]
    for one, other in combinations(sorted(facts.shown | facts.absent), 2):
        found.append(Statement(f"the flag has {one} and {other}", {one, other} <= facts.shown))
    for symbol in SYMBOLS:
        if symbol in facts.has | facts.lacks:
            without = symbol.removeprefix("a ")
            found.append(Statement(f"the flag shows {symbol}", symbol in facts.has))
            found.append(Statement(f"the flag shows no {without}", symbol not in facts.has))
    return found


MEANING = re.compile(
    rf"\b(?:{'|'.join(COLOURS)}) (?:also )?(?:stands for|symbolizes|represents|for) (?:the )?([a-z' ]+)$"
)
"""Part of a clause that says what a colour stands for."""


def meanings(flags: Iterable[Flag]) -> list[str]:
    """List what colours of the flags stand for, in the captions' words and without duplicates."""
    parts = (
        part.strip() for flag in flags for part in re.split(r"[;,]|\b(?:and|in)\b", " ; ".join(flag.meaning))
    )
    found = (match[1] for part in parts if (match := MEANING.search(part)))
    colours = {name for names in COLOURS.values() for name in names}
    return [meaning for meaning in dict.fromkeys(found) if not colours & {*meaning.split()}]
