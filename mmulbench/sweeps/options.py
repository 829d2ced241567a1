"""The options that all runs of a sweep share, as text on disk and as a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from mmulbench.session import Request

OF_JOBS = ("task", "methods", "seeds", "backbone", "forget_size", "settings")
"""What each run has its own of."""


def stored_options(request: Request) -> dict[str, Any]:
    """The options as JSON can hold them, folders as absolute paths: workers may start elsewhere."""
    found: dict[str, Any] = {}
    for field in fields(request):
        if field.name in OF_JOBS:
            continue
        value = getattr(request, field.name)
        if isinstance(value, Path):
            value = str(value.resolve())
        elif isinstance(value, tuple | list):
            value = [str(Path(one).resolve()) for one in value]
        found[field.name] = value
    return found


def options_of(stored: Mapping[str, Any]) -> Request:
    """The options that `stored_options` stored."""
    found = dict(stored)
    for name, value in stored.items():
        if name.endswith("_dir"):
            found[name] = Path(value)
        elif isinstance(value, list):
            found[name] = tuple(Path(one) for one in value)
    return Request(task="", **found)
