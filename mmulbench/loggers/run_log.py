"""Say what a logger is: what takes the numbers of one run, or of one model that several runs share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

RECORD = "record"
"""Stage of the numbers that a run came to, which are those of its record."""


class RunLog(ABC):
    """Takes the numbers of one run. It is made when the run begins, and raises what its library raises.

    Args:
        folder: folder of this logger's files.
        name: name of the run, fit for a file.
        settings: everything that decides the run's numbers; may be nested.
    """

    @abstractmethod
    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None: ...

    @abstractmethod
    def epoch(self, stage: str, number: int, numbers: Mapping[str, float]) -> None:
        """Take what an epoch came to.

        Args:
            stage: stage of the run, such as ``retrain``.
            number: number of the epoch within the stage, from 1.
            numbers: losses by name.
        """

    @abstractmethod
    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Take what the run came to, and finish; nothing is told after it.

        Args:
            status: ``done``, or another status of records; ``broken off`` where it has none.
            numbers: values and costs by name; empty where there are none.
        """


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested settings one by one.

    Args:
        settings: the settings.
        before: what their names begin with.

    Example:
        >>> dict(flat({"seed": 42, "config": {"lr": 0.1}}))
        {'seed': 42, 'config.lr': 0.1}
    """
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
