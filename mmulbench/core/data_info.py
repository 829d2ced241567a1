"""Describe a task's data, and what a check of the data on disk finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Sizes = tuple[int | None, int]
"""Numbers of forget units (None where nobody published it) and of pairs of a split."""


@dataclass(frozen=True)
class DataInfo:
    """Holds what ``mmulbench data info`` shows.

    Attributes:
        about: description of the data in a sentence or two.
        terms: licence or terms of use.
        source: place to get the data from.
        layout: paths in the data folder, each with its meaning; empty where the data comes with packages.
        hub: data sets on a hub in this form, each with its meaning; empty where no hub is read.
        sizes: numbers of units and pairs in the complete data, by split.
        unit: noun for a forget unit.
        pair: noun for one of its pairs.
        offline: name of the task to try when there is no data.
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
    """Holds what ``mmulbench data check`` found.

    Attributes:
        counts: numbers of units and pairs read, by split.
        dropped: number of pairs that were left out, by reason.
        problems: missing and damaged files, one line each.
        sample: a few pairs, one line each.
        notes: what is there but worth a look, such as images that are the same, one line each.
    """

    counts: Mapping[str, tuple[int, int]]
    dropped: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[str] = ()
    sample: Sequence[str] = ()
    notes: Sequence[str] = ()

    def short_of(self, info: DataInfo) -> list[str]:
        """List the splits that hold less than they should, one line each.

        Args:
            info: the expected sizes, and what units and pairs are called.
        """
        lines = []
        for split, expected in info.sizes.items():
            found = self.counts.get(split, (0, 0))
            for name, is_there, wanted in zip((info.unit, info.pair), found, expected, strict=True):
                if wanted is not None and is_there < wanted:
                    lines.append(f"{split}: {is_there:,} of {wanted:,} {plural(name)}")
        return lines


def plural(name: str) -> str:
    """Return the plural of the noun for a unit or pair."""
    return (
        f"{name[:-1]}ies" if name.endswith("y") else name[:-2] + "es" if name.endswith("is") else f"{name}s"
    )
