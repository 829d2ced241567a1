"""Folders and plug-in files: option, environment variable, and for folders a fixed place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


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


def _folder(option: Path | None, variable: str, default: Path) -> Path:
    if option is not None:
        return option
    return Path(os.environ[variable]) if os.environ.get(variable) else default
