"""Folders, plug-in files and the like: option, environment variable, default."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mmulbench.errors import UsageError


def data_dir(option: Path | None) -> Path:
    """Where official data sets lie: --data-dir, MMULBENCH_DATA, or ./data."""
    return _folder(option, "MMULBENCH_DATA", Path("data"))


def results_dir(option: Path | None) -> Path:
    """Where records go: --results-dir, MMULBENCH_RESULTS, or ./results."""
    return _folder(option, "MMULBENCH_RESULTS", Path("results"))


def cache_dir(option: Path | None) -> Path:
    """Where shared artifacts go: --cache-dir, MMULBENCH_CACHE, or the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return _folder(option, "MMULBENCH_CACHE", home / "mmulbench")


def tuned_dir(option: Path | None) -> Path:
    """Where tuned settings go: --tuned-dir, MMULBENCH_TUNED, or ./tuned."""
    return _folder(option, "MMULBENCH_TUNED", Path("tuned"))


def plugin_files(option: Sequence[Path] | None) -> list[Path]:
    """Plug-in files: those of MMULBENCH_PLUGINS, separated as in PATH, and then those of --plugin."""
    listed = os.environ.get("MMULBENCH_PLUGINS", "").split(os.pathsep)
    return [*(Path(path) for path in listed if path), *(option or ())]


def sweeps_dir(option: Path | None) -> Path:
    """Where sweeps are kept: --sweeps-dir, MMULBENCH_SWEEPS, or ./sweeps."""
    return _folder(option, "MMULBENCH_SWEEPS", Path("sweeps"))


def checkpoint_seconds() -> float:
    """Seconds between the checkpoints of a training, at least: MMULBENCH_CHECKPOINT_SECONDS, or 60.

    Raises:
        UsageError: the variable is no number, or below 0.
    """
    text = os.environ.get("MMULBENCH_CHECKPOINT_SECONDS") or "60"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise UsageError(
            f"MMULBENCH_CHECKPOINT_SECONDS is {text!r}; give a number of seconds such as 60; 0: at every step"
        )
    return seconds


def _folder(option: Path | None, variable: str, default: Path) -> Path:
    if option is not None:
        return option
    return Path(os.environ[variable]) if os.environ.get(variable) else default
