"""Names of tensors in two levels: an artifact holds one flat mapping, its users often have a nested one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def flatten(nested: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """Join two levels of names: ``{"a": {"b": x}}`` becomes ``{"a/b": x}``.

    Outer names hold no slash; inner names may, so that deeper mappings are flattened from the inside out.
    An outer name without inner names is lost.
    """
    return {f"{outer}/{inner}": value for outer, values in nested.items() for inner, value in values.items()}


def unflatten(flat: Mapping[str, T]) -> dict[str, dict[str, T]]:
    """Split names at their first slash; the inverse of `flatten`."""
    nested: dict[str, dict[str, T]] = {}
    for name, value in flat.items():
        outer, _, inner = name.partition("/")
        nested.setdefault(outer, {})[inner] = value
    return nested
