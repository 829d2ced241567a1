"""Describe the settings of methods and tasks, and where they are searched when a method is tuned.

The range of a search is written beside the setting, in its annotation. This is where ranges come from:

- the learning rate goes from a thirtieth to a hundred times the default that all methods share: where the
  range ended at ten times, searches ended there;
- epochs go from 1 to twice the shared default;
- every weight of a term of a loss is searched, a decade or more to either side of its default, by ratios, and
  as far as the values go that its source uses. So no method is held to the scale of another model's losses;
- a share (of weights, of pairs, of two terms) goes over most of what it can be, its source's values included;
- what scales noise or a closed-form step goes over decades, since such scales do not carry over;
- a range ends where a larger value changes nothing;
- what only makes an estimate more exact, such as a number of samples, is not searched; nor are epsilon and
  delta of L-CODEC, which scale the same noise as its damping does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints


@dataclass(frozen=True)
class NoSettings:
    """Stands for the settings of a method or task that has none."""


@dataclass(frozen=True)
class Search:
    """Says where a setting is searched, as metadata of a field of ``Config``.

    Example: ``lr: Annotated[float, Field(gt=0), Search(1e-5, 3e-2, log=True)]``.

    Attributes:
        low: smallest value tried.
        high: largest value tried.
        log: whether equal ratios are equally likely, rather than equal differences.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"Search({self.low}, {self.high}): low must be below high, both finite")
        if self.log and self.low <= 0:
            raise ValueError(f"Search({self.low}, {self.high}, log=True): low must be above 0")


@dataclass(frozen=True)
class SearchDimension:
    """Describes one searched setting of a configuration.

    Attributes:
        search: range of the search.
        whole: whether the setting is a whole number.
    """

    search: Search
    whole: bool


def search_space(config: type[Any]) -> Mapping[str, SearchDimension]:
    """Return the searched settings of a ``Config`` class by name, in the order of its fields."""
    hints = get_type_hints(config, include_extras=True)
    found = {}
    for field in fields(config):
        hint = hints[field.name]
        for extra in getattr(hint, "__metadata__", ()):
            if isinstance(extra, Search):
                found[field.name] = SearchDimension(extra, hint.__origin__ is int)
    return found
