"""What a task says about its data, and what a check of the data on disk finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Sizes = tuple[int | None, int]
"""Forget units (None where nobody published how many) and pairs of a split."""


@dataclass(frozen=True)
class DataInfo:
    """What ``mmulbench data info`` shows.

    Attributes:
        about: what the data is, in a sentence or two.
        terms: licence or terms of use.
        source: where to get it.
        layout: what to put where in the data folder, one path with its meaning a line; empty where the data
            comes with packages.
        hub: data sets on a hub that have its form, one with its meaning a line; empty where it is not read
            from a hub.
        sizes: by split, how many units and pairs there are when the data is complete.
        unit: what a forget unit is called.
        pair: what one of its pairs is called.
        offline: the task to try when there is no data.
    """

    about: str
    terms: str
    source: str
    layout: tuple[str, ...] = ()
    hub: tuple[str, ...] = ()
    sizes: Mapping[str, Sizes] = field(default_factory=dict)
    unit: str = "image"
    pair: str = "text"
    offline: str = "emoji"


@dataclass(frozen=True)
class DataReport:
    """What ``mmulbench data check`` found.

    Attributes:
        counts: by split, units and pairs read.
        dropped: why pairs were left out, and how many.
        problems: missing and damaged files, one line each.
        sample: a few pairs, one line each.
    """

    counts: Mapping[str, tuple[int, int]]
    dropped: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[str] = ()
    sample: Sequence[str] = ()

    def short_of(self, info: DataInfo) -> list[str]:
        """The splits that hold less than they should, one line each."""
        lines = []
        for split, expected in info.sizes.items():
            found = self.counts.get(split, (0, 0))
            for name, is_there, wanted in zip((info.unit, info.pair), found, expected, strict=True):
                if wanted is not None and is_there < wanted:
                    lines.append(f"{split}: {is_there:,} of {wanted:,} {plural(name)}")
        return lines


def plural(name: str) -> str:
    """The plural of what units and pairs are called."""
    return (
        f"{name[:-1]}ies" if name.endswith("y") else name[:-2] + "es" if name.endswith("is") else f"{name}s"
    )
