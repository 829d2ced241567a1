"""Use the options that all runs of a sweep share: make them absolute, and go where they hold."""

from __future__ import annotations

import os
from pathlib import Path

from mmulbench.files import disk_errors
from mmulbench.runs.request import RunOptions


def with_absolute_paths(options: RunOptions) -> RunOptions:
    """Return the options with absolute paths: workers may start in another folder."""
    return options.model_copy(update={name: _absolute(value) for name, value in options})


def _absolute(value: object) -> object:
    if isinstance(value, Path):
        return value.resolve()
    return tuple(map(_absolute, value)) if isinstance(value, tuple) else value


def enter_folder(path: str) -> None:
    """Go where the sweep was asked for: its settings may name files from there.

    Raises:
        MmulbenchError: That folder is gone.
    """
    with disk_errors("enter", Path(path)):
        os.chdir(path)
