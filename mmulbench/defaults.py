"""Values of options that are not given: those of environment variables, else fixed defaults.

Each function takes what the user gave, if anything: the command line and Python have the same defaults.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mmulbench.errors import UsageError

CHECKPOINT_SECONDS = 60.0
"""Least time between two checkpoints of a training; a kill costs at most so much work, beside a step."""


def data_dir(option: Path | None = None) -> Path:
    """Return the folder of official data sets: --data-dir, MMULBENCH_DATA, or ./data."""
    return _folder(option, "MMULBENCH_DATA", Path("data"))


def results_dir(option: Path | None = None) -> Path:
    """Return the folder of records: --results-dir, MMULBENCH_RESULTS, or ./results."""
    return _folder(option, "MMULBENCH_RESULTS", Path("results"))


def cache_dir(option: Path | None = None) -> Path:
    """Return the folder of shared artifacts: --cache-dir, MMULBENCH_CACHE, or the user's cache folder.

    Raises:
        UsageError: The user has no home folder, and nothing else is named.
    """
    given = option or os.environ.get("MMULBENCH_CACHE")
    return Path(given) if given else _user_cache()


def records_cache() -> Path | None:
    """Return the folder where records that were judged are remembered; None where there is no cache."""
    with suppress(UsageError):
        return cache_dir() / "records"
    return None


def tuned_dir(option: Path | None = None) -> Path:
    """Return the folder of the user's own studies: --tuned-dir, MMULBENCH_TUNED, or ./tuned."""
    return _folder(option, "MMULBENCH_TUNED", Path("tuned"))


def published_studies() -> Path:
    """Return the folder of published studies: MMULBENCH_STUDIES, or those that come with mmulbench."""
    return _folder(None, "MMULBENCH_STUDIES", Path(__file__).resolve().parent / "studies")


def sweeps_dir(option: Path | None = None) -> Path:
    """Return the folder of sweeps: --sweeps-dir, MMULBENCH_SWEEPS, or ./sweeps."""
    return _folder(option, "MMULBENCH_SWEEPS", Path("sweeps"))


def logger_dir(option: Path | None = None) -> Path:
    """Return the folder of loggers' files: --logger-dir, MMULBENCH_LOGGED, or ./logged."""
    return _folder(option, "MMULBENCH_LOGGED", Path("logged"))


def usual_folders() -> dict[str, Path]:
    """Return the folders that commands read and write where neither an option nor a variable names others.

    There is none for the cache where the user has no home folder.
    """
    folders = {
        "--data-dir": Path("data"),
        "--results-dir": Path("results"),
        "--tuned-dir": Path("tuned"),
        "--sweeps-dir": Path("sweeps"),
    }
    with suppress(UsageError):
        folders["--cache-dir"] = _user_cache()
    return folders


def plugin_files(option: Sequence[Path] | None = None) -> tuple[Path, ...]:
    """Return the plug-in files: those of MMULBENCH_PLUGINS, separated as in PATH, then those of --plugin."""
    listed = os.environ.get("MMULBENCH_PLUGINS", "").split(os.pathsep)
    return (*(Path(path) for path in listed if path), *(option or ()))


def checkpoint_seconds() -> float:
    """Return the least time between two checkpoints: MMULBENCH_CHECKPOINT_SECONDS, or 60 seconds.

    Raises:
        UsageError: The variable is no number, or below 0.
    """
    text = os.environ.get("MMULBENCH_CHECKPOINT_SECONDS") or str(CHECKPOINT_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise UsageError(
            f"MMULBENCH_CHECKPOINT_SECONDS is {text!r}; give a number of seconds such as 60; 0: at every step"
        )
    return seconds


def _user_cache() -> Path:
    """Return the user's own cache folder.

    Raises:
        UsageError: The user has no home folder.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmulbench"
    except RuntimeError as error:
        raise UsageError("you have no home folder: name a folder with --cache-dir") from error


def _folder(option: Path | None, variable: str, default: Path) -> Path:
    if option is not None:
        return option
    return Path(os.environ[variable]) if os.environ.get(variable) else default
