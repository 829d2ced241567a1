"""The options that all runs of a sweep share, as text on disk and as a request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.files import disk_errors
from mmulbench.records.reading import first_fault
from mmulbench.runs.session import Request

OF_JOBS = ("task", "methods", "seeds", "backbone", "forget_size", "settings")
"""What each run has its own of."""


def stored_options(request: Request) -> dict[str, Any]:
    """The options as JSON can hold them, folders as absolute paths: workers may start elsewhere."""
    found: dict[str, Any] = {}
    for name in type(request).model_fields:
        if name in OF_JOBS:
            continue
        value = getattr(request, name)
        if isinstance(value, Path):
            value = str(value.resolve())
        elif isinstance(value, tuple | list):
            value = [str(Path(one).resolve()) for one in value]
        found[name] = value
    return found


def options_of(stored: Mapping[str, Any]) -> Request:
    """The options that `stored_options` stored.

    Raises:
        MmulbenchError: when they are not such.
    """
    try:
        found = dict(stored)
        for name, value in stored.items():
            if name.endswith("_dir"):
                found[name] = Path(value)
            elif isinstance(value, list):
                found[name] = tuple(Path(one) for one in value)
        return Request(task="", **found)
    except (TypeError, ValidationError) as error:
        reason = first_fault(error) if isinstance(error, ValidationError) else error
        raise MmulbenchError(
            f"the sweep's options cannot be used ({reason}): it is damaged or of another version of mmulbench"
        ) from error


def enter_folder(path: str) -> None:
    """Go where the sweep was asked for: its settings may name files from there.

    Raises:
        MmulbenchError: when that folder is gone.
    """
    with disk_errors("enter", Path(path)):
        os.chdir(path)
