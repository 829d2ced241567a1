"""Pass on to loggers what a run tells its progress; what they fail in costs a line, and never the run."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from mmulbench.defaults import logger_dir
from mmulbench.loggers.choice import demand_loggers
from mmulbench.loggers.logger_process import LoggerFailed, LoggerProcess
from mmulbench.progress import SHADOWS, Progress

T = TypeVar("T")


def with_loggers(
    progress: Progress, names: Sequence[str], folder: Path | None, *, writes: bool = True
) -> Progress:
    """Return a progress that tells loggers, too; the same one where there are no loggers.

    Args:
        progress: what the user sees.
        names: names of the loggers.
        folder: folder of their files; each has one of its own in it. None for the usual one.
        writes: whether this process is the one of several that tells them. The others do the same work.

    Raises:
        UsageError: A logger is unknown, or its package is not installed.
    """
    if not names:
        return progress
    demand_loggers(names)
    return Logged(progress, tuple(dict.fromkeys(names)) if writes else (), logger_dir(folder))


class Logged(Progress):
    """Shows what another progress shows, and tells loggers.

    Args:
        shown: the other progress.
        names: names of the loggers.
        folder: folder of their files.
    """

    def __init__(self, shown: Progress, names: Sequence[str], folder: Path) -> None:
        self.debug = shown.debug
        self._shown = shown
        self._folder = folder
        self._unopened = list(names)
        self._processes: dict[str, LoggerProcess] = {}
        self._stage = ""
        atexit.register(self.close)  # for who enters no context, as workers

    def __enter__(self) -> Logged:
        """Start showing."""
        self._shown.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing, and let loggers finish."""
        self._shown.__exit__(kind, error, trace)
        self.close()

    def plan(self, seeds: Sequence[int], *, shadows: bool = False) -> None:
        """Pass on which runs are to be made."""
        self._shown.plan(seeds, shadows=shadows)

    def run(self, title: str) -> None:
        """Pass on which run begins."""
        self._shown.run(title)

    def stage(self, name: str) -> None:
        """Pass on which stage begins, to which epochs then belong."""
        self._stage = name
        self.listens = self.listens and name != SHADOWS  # a run has many of them
        self._shown.stage(name)

    def note(self, line: str) -> None:
        """Pass on a line."""
        self._shown.note(line)

    def track(self, items: Iterable[T], total: int, description: str) -> Iterator[T]:
        """Yield the items while the other counts them."""
        return self._shown.track(items, total, description)

    def counter(self, total: int, description: str) -> Callable[[], None]:
        """Return the other's counter."""
        return self._shown.counter(total, description)

    def begin(self, name: str, settings: Mapping[str, Any]) -> None:
        """Tell loggers that a run begins; their processes start with the first."""
        self.listens = True  # whatever becomes of loggers: several processes must do the same
        for logger in self._unopened:
            try:
                self._processes[logger] = LoggerProcess(logger, self._folder / logger)
            except LoggerFailed as failure:
                self._say(logger, failure)
        self._unopened = []
        self._send("begin", name, dict(settings))

    def epoch(self, number: int, numbers: Mapping[str, float]) -> None:
        """Tell loggers what an epoch came to."""
        self._send("epoch", self._stage, number, dict(numbers))

    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Tell loggers what the run came to."""
        self.listens = False
        self._send("end", status, dict(numbers))

    def close(self) -> None:
        """Let loggers finish."""
        atexit.unregister(self.close)
        for logger, process in self._processes.items():
            try:
                process.close()
            except LoggerFailed as failure:
                self._say(logger, failure)
        self._processes = {}

    def _send(self, *event: Any) -> None:
        for logger, process in list(self._processes.items()):
            try:
                process.send(*event)
            except LoggerFailed as failure:
                del self._processes[logger]
                self._say(logger, failure)

    def _say(self, logger: str, failure: LoggerFailed) -> None:
        self._shown.note(f"warning: --logger {logger} logs nothing more, and the run goes on: {failure}")
