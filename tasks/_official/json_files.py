"""Read annotation files that nobody vouches for: JSON and nothing else, every fault with file and line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mmulbench import MmulbenchError
from mmulbench.files import reason_of
from mmulbench.lfs_pointers import LFS_PULL, is_lfs_pointer

LINE_BYTES = 1_000_000
"""Largest number of bytes of a line in a JSON-lines file; the official files need a few thousand."""

DOCUMENT_BYTES = 512_000_000
"""Largest number of bytes of a file that is read whole as one JSON value; Karpathy's for COCO has 150 MB."""

BOM = b"\xef\xbb\xbf"
"""Byte-order mark, with which some editors begin a file."""

BINARY = {
    b"\x80": "a pickle",
    b"PK": "a zip archive, as torch.save writes",
    b"\x1f\x8b": "compressed with gzip",
}
"""By the first bytes of a file that is no text, what the file is."""


class RawLine(NamedTuple):
    """Holds a line of a file as it is stored.

    Attributes:
        number: number of the line; the first is 1.
        where: place of the line, such as ``train.jsonl:17``.
        content: bytes of the line, its end included.
    """

    number: int
    where: str
    content: bytes


class DataRow(NamedTuple):
    """Holds a row of a data set with its place.

    Attributes:
        where: place of the row, such as ``train.jsonl:17``.
        fields: values by field name, as the file gives them.
    """

    where: str
    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a field that must be text.

        Raises:
            MmulbenchError: if the field is missing or not text.
        """
        return as_text(self.value(name), name, self.where)

    def value(self, name: str) -> object:
        """Return a field that must be there.

        Raises:
            MmulbenchError: if the field is missing.
        """
        if name not in self.fields:
            raise MmulbenchError(f"{self.where}: the field {name!r} is missing")
        return self.fields[name]


def as_text(value: object, name: str, where: str) -> str:
    """Return a value that must be text.

    Args:
        value: value to check.
        name: name of the field, for the message.
        where: place of the value, for the message.

    Raises:
        MmulbenchError: if the value is not text.
    """
    if not isinstance(value, str):
        raise MmulbenchError(f"{where}: the field {name!r} must be text, not {type(value).__name__}")
    return value


def as_list(value: object, what: str, where: str) -> list[object]:
    """Return a value that must be a list.

    Args:
        value: value to check.
        what: what the value is, for the message.
        where: place of the value, for the message.

    Raises:
        MmulbenchError: if the value is not a list.
    """
    if not isinstance(value, list):
        raise MmulbenchError(f"{where}: {what} must be a list, not {type(value).__name__}")
    return value


def as_row(value: object, where: str) -> DataRow:
    """Return a value that must be a JSON object, as a row.

    Args:
        value: value to check.
        where: place of the value.

    Raises:
        MmulbenchError: if the value is not an object.
    """
    if not isinstance(value, dict):
        raise MmulbenchError(f"{where}: a JSON object is needed, not {type(value).__name__}")
    return DataRow(where, value)


def read_lines(path: Path) -> Iterator[DataRow]:
    """Read the objects of a JSON-lines file.

    Empty lines, Windows line ends and a byte-order mark are fine.

    Raises:
        MmulbenchError: if the file cannot be read, or a line is too long or not a JSON object.
    """
    for number, where, line in raw_lines(path):
        if number == 1:
            refuse_binary(line, where, "JSON")
            line = line.removeprefix(BOM)
        refuse_long(line, where)
        if line := line.strip():
            yield as_row(_parse(line, where), where)


def raw_lines(path: Path) -> Iterator[RawLine]:
    """Read the lines of a file; of a line longer than `LINE_BYTES` no more than one byte too many.

    Raises:
        MmulbenchError: if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES + 1):
                number += 1
                yield RawLine(number, f"{path}:{number}", line)
    except OSError as error:
        raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error


def read_document(path: Path) -> object:
    """Read a file that is one JSON value.

    Raises:
        MmulbenchError: if the file cannot be read, is larger than `DOCUMENT_BYTES` or not JSON.
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
    """Refuse a file that begins as a binary one does.

    Args:
        content: first bytes of the file.
        where: place of the file, for the message.
        form: form that is needed, such as ``JSON``.

    Raises:
        MmulbenchError: if the content begins as one of `BINARY` does, or is a Git LFS pointer.
    """
    if is_lfs_pointer(content):
        raise MmulbenchError(f"{where}: this is {LFS_PULL}")
    for start, what in BINARY.items():
        if content.startswith(start):
            raise MmulbenchError(f"{where}: this is {what}, not {form}: refused, nothing of it was executed")


def refuse_long(line: bytes, where: str) -> None:
    """Refuse a line that is longer than `LINE_BYTES`.

    Args:
        line: bytes of the line, as `raw_lines` gives them.
        where: place of the line, for the message.

    Raises:
        MmulbenchError: if the line is too long.
    """
    if len(line) > LINE_BYTES:
        raise MmulbenchError(f"{where}: a line of more than {LINE_BYTES:,} bytes is refused")


def _parse(content: bytes, where: str) -> object:
    """Parse one JSON value.

    Raises:
        MmulbenchError: if the content is not JSON.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        line = f":{error.lineno}" if not where.rpartition(":")[2].isdigit() else ""
        raise MmulbenchError(f"{where}{line}: not valid JSON: {error.msg}, column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise MmulbenchError(f"{where}: not UTF-8 text (byte {error.start + 1})") from error
    except (ValueError, RecursionError) as error:  # ValueError: a field is there twice
        raise MmulbenchError(f"{where}: not valid JSON: {error}") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its fields, without the words that repeat each sentence of Karpathy's files.

    Without these lists it needs a fraction of the memory.

    Raises:
        ValueError: if a field is there twice, of which JSON would keep the last.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the field {name!r} is there twice")
    value.pop("tokens", None)
    return value
