"""Read what a class of settings says of each: its default, its range, where it is searched, its meaning."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from mmulbench.core.descriptions import attributes_in
from mmulbench.core.search_space import NoSettings, Search

WORDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
"""How limits are said, by the name that pydantic gives them."""

KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
"""How types are said."""


@dataclass(frozen=True)
class Setting:
    """Describes one setting of a method, a task or a recipe.

    Attributes:
        name: name of the setting, as ``--set`` takes it.
        default: value that it has where nothing is set.
        allowed: values that it may have, in words.
        search: range that tuning looks in; None where it is not searched.
        meaning: what it is, as its class says.
        source: what the class that brings it says of its defaults.
    """

    name: str
    default: Any
    allowed: str
    search: Search | None
    meaning: str
    source: str

    @property
    def searched(self) -> str:
        """The range of the search in words; empty where there is none."""
        if self.search is None:
            return ""
        ratios = ", by ratios" if self.search.log else ""
        return f"{self.search.low:g} to {self.search.high:g}{ratios}"

    def as_json(self) -> dict[str, Any]:
        """Return the setting as JSON, its search with ends and scale."""
        search = self.search
        space = None if search is None else {"low": search.low, "high": search.high, "log": search.log}
        return {
            "name": self.name,
            "default": self.default,
            "allowed": self.allowed,
            "tuning": space,
            "meaning": self.meaning,
            "source": self.source,
        }


def settings_of(config: type[Any]) -> list[Setting]:
    """Describe the settings of a class, in the order of its fields.

    Args:
        config: a dataclass whose fields all have defaults, such as ``Config`` of a method.
    """
    hints = get_type_hints(config, include_extras=True)
    meanings, owners = described_attributes(config), _owners(config)
    return [
        Setting(
            name=field.name,
            default=field.default,
            allowed=_allowed(hints[field.name]),
            search=_search(hints[field.name]),
            meaning=meanings.get(field.name, ""),
            source=prose(owners[field.name]),
        )
        for field in fields(config)
    ]


def bounds_in_words(low: float, high: float) -> str:
    """Say between which numbers values lie.

    Args:
        low: smallest of them; minus infinity where there is none.
        high: largest of them; infinity where there is none.
    """
    if math.isinf(low) and math.isinf(high):
        return "any number"
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"from {low:g} to {high:g}"


def prose(cls: type[Any]) -> str:
    """Return a class's own docstring without its sections; empty where it has none."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    if text.startswith(f"{cls.__name__}("):  # what dataclasses write where nobody wrote anything
        return ""
    for section in ("Attributes:", "Args:"):
        text = text.partition(f"\n{section}")[0]
    return text.strip()


def described_attributes(cls: type[Any]) -> Mapping[str, str]:
    """Return what the docstrings of a class and its bases say of each attribute."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= attributes_in(inspect.cleandoc(vars(base).get("__doc__") or ""))
    return found


def _owners(config: type[Any]) -> dict[str, type[Any]]:
    """Return the class that brings each setting, or its present default, by the setting's name."""
    found: dict[str, type[Any]] = {}
    for base in reversed(config.__mro__):
        if base is not NoSettings:
            found |= dict.fromkeys(vars(base).get("__annotations__", {}), base)
    return found


def _search(hint: Any) -> Search | None:
    return next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Search)), None)


def _allowed(hint: Any) -> str:
    """Say in words what a setting may be."""
    extras = getattr(hint, "__metadata__", ())
    bare = get_args(hint)[0] if extras else hint
    if get_origin(bare) is Literal:
        return " or ".join(map(str, get_args(bare)))
    limits = [
        text.format(f"{getattr(limit, name):g}")
        for extra in extras
        if isinstance(extra, FieldInfo)
        for limit in extra.metadata
        for name, text in WORDS.items()
        if hasattr(limit, name)
    ]
    kind = KINDS.get(bare, getattr(bare, "__name__", str(bare)))
    return ", ".join([kind, *limits])
