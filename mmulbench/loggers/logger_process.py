"""Run a logger in a process of its own: what it takes, prints or breaks costs the run nothing."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

CHILD = "mmulbench.loggers.child"
"""Module that the process runs."""

PATIENCE = 60.0
"""Longest time in seconds that a session waits at its end for what a logger has not sent yet."""


class LoggerFailed(Exception):
    """Says in one line why a logger takes nothing any more."""


class LoggerProcess:
    """Hands events to a logger's process, and never waits for it but at the end.

    The process shares neither memory, random numbers, signals nor output with the run. It ends when its input
    does, also where the run is killed.

    Args:
        name: name of the logger.
        folder: folder of its files.
        patience: longest time in seconds that `close` waits.

    Raises:
        LoggerFailed: It cannot be started.
    """

    def __init__(self, name: str, folder: Path, patience: float = PATIENCE) -> None:
        command = [sys.executable, "-m", CHILD, name, str(folder)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        except OSError as error:
            raise LoggerFailed(f"its process cannot be started: {error.strerror}") from error
        self._patience = patience
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def send(self, *event: Any) -> None:
        """Hand over an event, at once.

        Args:
            *event: kind of the event, and what belongs to it; plain values.

        Raises:
            LoggerFailed: The process has ended.
        """
        if self._process.poll() is not None:
            raise LoggerFailed(self._last_word())
        self._waiting.put(json.dumps(event) + "\n")

    def close(self) -> None:
        """Let the logger finish.

        Raises:
            LoggerFailed: It failed, or takes too long and is ended.
        """
        self._waiting.put(None)
        try:
            code = self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise LoggerFailed(f"it did not finish within {self._patience:g} s and was ended") from None
        finally:
            self._writer.join()
        if code:
            raise LoggerFailed(self._last_word())

    def _write(self) -> None:
        """Write what is waiting, until there is no more or nobody reads it."""
        stream = self._process.stdin
        assert stream is not None
        with suppress(OSError):
            while (line := self._waiting.get()) is not None:
                stream.write(line)
                stream.flush()
        with suppress(OSError):
            stream.close()

    def _last_word(self) -> str:
        """Return what the process said before it ended."""
        stream = self._process.stdout
        assert stream is not None
        return stream.read().strip() or f"its process ended with code {self._process.returncode}"
