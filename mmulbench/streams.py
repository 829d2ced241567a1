"""Keep working when nobody reads what is printed: after ``| head -1``, on a full disk, without a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

STREAMS = (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))
"""Names of the streams that every program has, in the order of their numbers, and how they are opened."""


class Patient(io.FileIO):
    """Writes to a file until that fails, and then lets the rest be lost.

    Attributes:
        failure: why writing failed.
    """

    failure: OSError | None = None

    def write(self, content: Any, /) -> int:
        """Write, or only seem to."""
        if self.failure is None:
            try:
                return super().write(content)
            except OSError as error:
                self.failure = error
        return memoryview(content).nbytes


def patient(descriptor: int, encoding: str, errors: str, *, closefd: bool = False) -> TextIO:
    """Return a stream of lines that no failure to write can end.

    Args:
        descriptor: number of the open file.
        encoding: encoding of its text.
        errors: what is done with signs that the encoding lacks.
        closefd: whether to close the file with the stream.
    """
    raw = Patient(descriptor, "wb", closefd=closefd)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True)


@contextlib.contextmanager
def patient_streams() -> Iterator[list[Patient]]:
    """Make standard output and error patient until the block ends; a closed one is opened to nowhere.

    Yields:
        The files behind them, where they are files.
    """
    _open_closed()
    files, kept = [], {}
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        with contextlib.suppress(OSError, AttributeError):  # what tests and notebooks put there is no file
            stream.flush()
            new = patient(stream.fileno(), stream.encoding, stream.errors)
            files.append(new.buffer.raw)  # type: ignore[attr-defined]
            kept[name] = (stream, new)
            setattr(sys, name, new)
    try:
        yield files
    finally:
        for name, (stream, new) in kept.items():
            new.flush()
            if getattr(sys, name) is new:
                setattr(sys, name, stream)


def _open_closed() -> None:
    """Give what was closed a place, or the next file that is opened would be taken for standard output."""
    for number, (name, how) in enumerate(STREAMS):
        if getattr(sys, name) is None and os.open(os.devnull, how) == number:
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", closefd=False))  # noqa: SIM115
