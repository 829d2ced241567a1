"""Reading annotation files that nobody vouches for: JSON and nothing else, every fault with file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmulbench import MmulbenchError
from mmulbench.files import reason_of

LINE_BYTES = 1_000_000
"""Longest line of a JSON-lines file. The longest of the official files is a few kilobytes."""

DOCUMENT_BYTES = 512_000_000
"""Largest file that is one JSON value, read whole; Karpathy's for COCO is about 150 MB."""

BOM = b"\xef\xbb\xbf"
BINARY = {
    b"\x80": "a pickle",
    b"PK": "a zip archive, as torch.save writes",
    b"\x1f\x8b": "compressed with gzip",
}
"""How files begin that are not JSON, whatever they are called."""


class DataRow(NamedTuple):
    """One JSON object and where it stands, such as ``train.jsonl:17``."""

    where: str
    fields: dict[str, Any]

    def text(self, name: str) -> str:
        """A field that must be text.

        Raises:
            MmulbenchError: it is not there or not text.
        """
        return as_text(self.value(name), name, self.where)

    def value(self, name: str) -> Any:
        """A field that must be there.

        Raises:
            MmulbenchError: it is not.
        """
        if name not in self.fields:
            raise MmulbenchError(f"{self.where}: the field {name!r} is missing")
        return self.fields[name]


def as_text(value: Any, name: str, where: str) -> str:
    """A value that must be text.

    Raises:
        MmulbenchError: it is not.
    """
    if not isinstance(value, str):
        raise MmulbenchError(f"{where}: the field {name!r} must be text, not {type(value).__name__}")
    return value


def as_list(value: Any, what: str, where: str) -> list[Any]:
    """A value that must be a list.

    Raises:
        MmulbenchError: it is not.
    """
    if not isinstance(value, list):
        raise MmulbenchError(f"{where}: {what} must be a list, not {type(value).__name__}")
    return value


def as_record(value: Any, where: str) -> DataRow:
    """A value that must be an object.

    Raises:
        MmulbenchError: it is not.
    """
    if not isinstance(value, dict):
        raise MmulbenchError(f"{where}: a JSON object is needed, not {type(value).__name__}")
    return DataRow(where, value)


def read_lines(path: Path) -> Iterator[DataRow]:
    """The objects of a JSON-lines file; empty lines, Windows line ends and a byte-order mark are fine.

    Raises:
        MmulbenchError: the file cannot be read, a line is longer than `LINE_BYTES` or not a JSON object.
    """
    for number, where, line in raw_lines(path):
        if number == 1:
            refuse_binary(line, where, "JSON")
            line = line.removeprefix(BOM)
        refuse_long(line, where)
        if line := line.strip():
            yield as_record(_parse(line, where), where)


def raw_lines(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Number, place and bytes of every line; of one longer than `LINE_BYTES` no more than a byte too many.

    Raises:
        MmulbenchError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES + 1):
                number += 1
                yield number, f"{path}:{number}", line
    except OSError as error:
        raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error


def read_document(path: Path) -> Any:
    """The value of a file that is one JSON value.

    Raises:
        MmulbenchError: the file cannot be read, is larger than `DOCUMENT_BYTES` or not JSON.
    """
    try:
        with path.open("rb") as file:
            content = file.read(DOCUMENT_BYTES + 1)
    except OSError as error:
        raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error
    if len(content) > DOCUMENT_BYTES:
        raise MmulbenchError(f"{path}: a file of more than {DOCUMENT_BYTES:,} bytes is refused")
    refuse_binary(content, f"{path}:1", "JSON")
    return _parse(content.removeprefix(BOM), str(path))


def refuse_binary(content: bytes, where: str, form: str) -> None:
    """Say what a binary file is.

    Args:
        content: how the file begins.
        where: its place, for the message.
        form: what is needed, such as ``JSON``.

    Raises:
        MmulbenchError: it begins as one of `BINARY` does.
    """
    for start, what in BINARY.items():
        if content.startswith(start):
            raise MmulbenchError(f"{where}: this is {what}, not {form}: refused, nothing of it was executed")


def refuse_long(line: bytes, where: str) -> None:
    """Demand that a line has its end in sight.

    Raises:
        MmulbenchError: it is longer than `LINE_BYTES`.
    """
    if len(line) > LINE_BYTES:
        raise MmulbenchError(f"{where}: a line of more than {LINE_BYTES:,} bytes is refused")


def _parse(content: bytes, where: str) -> Any:
    try:
        return json.loads(content.decode("utf-8"), object_hook=_without_tokens)
    except json.JSONDecodeError as error:
        line = f":{error.lineno}" if not where.rpartition(":")[2].isdigit() else ""
        raise MmulbenchError(f"{where}{line}: not valid JSON: {error.msg}, column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise MmulbenchError(f"{where}: not UTF-8 text (byte {error.start + 1})") from error
    except (ValueError, RecursionError) as error:
        raise MmulbenchError(f"{where}: not valid JSON: {error}") from error


def _without_tokens(value: dict[str, Any]) -> dict[str, Any]:
    """Karpathy's files repeat each sentence as a list of words, most of the memory they would take."""
    value.pop("tokens", None)
    return value
