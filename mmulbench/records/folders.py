"""Say which folders a command line must name to find what a run found, and to write where it wrote."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mmulbench import defaults
from mmulbench.errors import UsageError
from mmulbench.records.schema import RunResult
from mmulbench.records.store import RESULTS_FLAG, ResultsStore

READ = ("--data-dir", "--cache-dir")
"""Options of the folders that a run reads, and its record names."""


def unusual(folders: Mapping[str, Path]) -> dict[str, str]:
    """Return the folders that are not where they are by default, absolute, by the option that names each.

    What an environment variable says is not a default: another shell may not have it.

    Args:
        folders: folders by option.
    """
    usual = {option: _absolute(folder) for option, folder in defaults.usual_folders().items()}
    found = {option: _absolute(folder) for option, folder in folders.items()}
    return {option: str(folder) for option, folder in found.items() if folder != usual.get(option)}


def with_folders(command: str, result: RunResult, path: Path) -> str:
    """Return the command line of a record with every folder that is not a default.

    Args:
        command: the command line without folders.
        result: the record; it names the folders that its run read.
        path: file of the record; the folder of results that it lies in is where its run is to write again.
    """
    read = {option: folder for option, folder in result.folders.items() if option in READ}
    folders = {**read, **unusual(_results_of(result, path))}
    return " ".join([command, *(shlex.join(pair) for pair in folders.items())])


def _results_of(result: RunResult, path: Path) -> dict[str, Path]:
    """Return the results folder that a record has its place in; nothing where it lies elsewhere."""
    place = _absolute(path)
    if len(place.parents) > 3:
        root = place.parents[3]
        with suppress(UsageError):
            if ResultsStore(root).path(result.spec) == place:
                return {RESULTS_FLAG: root}
    return {}


def _absolute(folder: Path) -> Path:
    return folder.absolute()
