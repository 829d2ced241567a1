"""Read a table that nobody vouches for: CSV, TSV, JSON lines or parquet, every fault with its place."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmulbench import Integers, MmulbenchError, UsageError, csv_quoting
from mmulbench.errors import did_you_mean
from mmulbench.files import reason_of
from mmulbench.tasks._official.json_files import DOCUMENT_BYTES, read_lines, refuse_binary
from mmulbench.tasks._tables.parquet_file import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
"""Suffixes of the files that are read."""

BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""Encoding by the byte-order mark that a file begins with."""

SEPARATORS = (",", ";", "\t")
"""Signs that may separate the columns of a CSV: the commonest in its first line does."""

CHUNK = 10_000
"""Number of rows that are made into columns at once."""


@dataclass(frozen=True)
class Table:
    """Holds a table: every cell is text, and empty where nothing is there.

    Attributes:
        name: what messages call it: its path mostly.
        columns: cells of each column, one below the other.
        lines: (n,) line that each row begins in, counted from 1; rows counted from 1 where a file has no
            lines.
        nested: columns that hold no single values, which cannot be used, each with what it holds.
        has_lines: whether rows are told by their lines.
    """

    name: str
    columns: Mapping[str, pa.ChunkedArray]
    lines: Integers
    nested: Mapping[str, str]
    has_lines: bool = True

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def names(self) -> list[str]:
        """Names of all columns, those that cannot be used among them."""
        return [*self.columns, *self.nested]

    def where(self, row: int) -> str:
        """Return the place of a row, for messages."""
        return f"{self.name}:{self.lines[row]}" if self.has_lines else f"{self.name}: row {self.lines[row]}"

    def cells(self, name: str) -> list[str]:
        """Return all cells of a column."""
        cells: list[str] = self.columns[name].to_pylist()
        return cells


def read_table(path: Path, encoding: str = "") -> Table:
    """Read a table whose kind its suffix tells.

    Args:
        path: the file.
        encoding: encoding of a CSV or TSV; empty for UTF-8, or what a byte-order mark says.

    Raises:
        UsageError: if the file is not there, or of another kind; or there is no such encoding.
        MmulbenchError: if it cannot be read, is damaged, or has no rows.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{path}: a table is a file that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        )
    if not path.is_file():
        raise UsageError(f"{path.absolute()}: there is no such file{_neighbours(path)}")
    if suffix == ".parquet":
        columns, nested = read_parquet(path)
        length = len(next(iter(columns.values()), ()))
        found = Table(str(path), columns, np.arange(1, length + 1, dtype=np.int64), nested, has_lines=False)
    else:
        found = _read_json(path) if suffix == ".jsonl" else _read_csv(path, suffix, encoding)
    if not len(found):
        raise MmulbenchError(f"{path}: the table has no rows")
    return found


def _neighbours(path: Path) -> str:
    """Say which tables of a similar name lie in the folder of a path."""
    if not path.parent.is_dir():
        return ""
    there = [one.name for one in path.parent.iterdir() if one.suffix.lower() in SUFFIXES]
    return did_you_mean(path.name, there) if there else ""


def _read_csv(path: Path, suffix: str, encoding: str) -> Table:
    """Read a CSV or TSV, whose first line names the columns.

    Raises:
        UsageError: if there is no such encoding.
        MmulbenchError: if it cannot be read, or a row has more or fewer cells than there are columns.
    """
    text = _text_of(path, encoding)
    first = text[: text.find("\n")] if "\n" in text else text
    sign = "\t" if suffix == ".tsv" else max(SEPARATORS, key=first.count)
    quoting = csv_quoting(io.StringIO(text)) if suffix == ".tsv" else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, quoting=quoting, strict=True)
    rows = _cells(path, reader)
    _, header = next(rows, (0, None))
    if header is None:
        raise MmulbenchError(f"{path}:1: the file is empty: its first line must name the columns")
    names = [cell.strip() for cell in header]
    for name in names:
        if not name or names.count(name) > 1:
            raise MmulbenchError(f"{path}:1: {f'two columns are called {name!r}' if name else _NAMELESS}")
    checked = (_of_length(cells, names, f"{path}:{line}", line) for line, cells in rows)
    lines, columns = _columns(checked, names)
    return Table(str(path), columns, lines, {})


_NAMELESS = "a column has no name: the first line must name all columns"


def _of_length(cells: list[str], names: Sequence[str], where: str, line: int) -> tuple[int, list[str]]:
    """Return a row that has a cell for each column.

    Raises:
        MmulbenchError: if it has more or fewer.
    """
    if len(cells) != len(names):
        raise MmulbenchError(f"{where}: {len(cells)} cells, but the first line names {len(names)} columns")
    return line, cells


def _cells(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row that is not empty, with the line that it begins in.

    Raises:
        MmulbenchError: if quotation marks do not fit together.
    """
    line = 1
    try:
        for cells in reader:
            if any(cells):  # spreadsheets leave rows of nothing but separators
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise MmulbenchError(f"{path}:{line}: the row that begins here cannot be read: {error}") from error


def _text_of(path: Path, encoding: str) -> str:
    """Return the text of a file.

    Raises:
        UsageError: if there is no such encoding.
        MmulbenchError: if the file cannot be read, is too large, or is not text of this encoding.
    """
    try:
        with path.open("rb") as file:
            content = file.read(DOCUMENT_BYTES + 1)
    except OSError as error:
        raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error
    if len(content) > DOCUMENT_BYTES:
        raise MmulbenchError(
            f"{path}: a file of more than {DOCUMENT_BYTES:,} bytes is refused: make it a .parquet"
        )
    refuse_binary(content, f"{path}:1", "a table")
    marked = next((name for mark, name in BOMS.items() if content.startswith(mark)), "utf-8")
    if not encoding and marked != "utf-16" and b"\0" in content:
        line = content.count(b"\n", 0, content.index(0)) + 1
        raise MmulbenchError(f"{path}:{line}: a NUL byte: this is no text; if it is UTF-16: {_SET}utf-16-le")
    try:
        return content.decode(encoding or marked).removeprefix("\ufeff")
    except LookupError as error:
        raise UsageError(
            f"{_SET}{encoding}: there is no such encoding; such as utf-8, cp1252 or utf-16"
        ) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = error.start - content.rfind(b"\n", 0, error.start)
        raise MmulbenchError(
            f"{path}:{line}: not {(encoding or marked).removesuffix('-sig').upper()} text (byte {byte}): "
            f"save it as UTF-8, or say what it is, such as {_SET}cp1252"
        ) from error


_SET = "--set task.encoding="


def _read_json(path: Path) -> Table:
    """Read JSON lines: each is an object, whose fields are the columns; a field may be missing in some.

    Raises:
        MmulbenchError: if a line is no object.
    """
    fields = list[Mapping[str, object]]()
    lines = list[int]()
    names, nested = dict[str, None](), dict[str, str]()
    for row in read_lines(path):
        fields.append(row.fields)
        lines.append(int(row.where.rpartition(":")[2]))
        for name, value in row.fields.items():
            names[name] = None
            if isinstance(value, list | dict):
                nested[name] = "lists" if isinstance(value, list) else "objects"
    single = [name for name in names if name not in nested]
    rows = (
        (line, [plain_value(row.get(name)) for name in single])
        for line, row in zip(lines, fields, strict=True)
    )
    numbers, columns = _columns(rows, single)
    return Table(str(path), columns, numbers, nested)


def plain_value(value: object) -> str:
    """Return a single JSON value as text; half characters become question marks."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _columns(
    rows: Iterable[tuple[int, list[str]]], names: Sequence[str]
) -> tuple[Integers, dict[str, pa.ChunkedArray]]:
    """Turn rows into columns, some at a time.

    Returns:
        (n,) the line of each row, and the cells by column.
    """
    import pyarrow as pa

    chunks: dict[str, list[pa.Array]] = {name: [] for name in names}
    lines, waiting = list[int](), list[list[str]]()

    def flush() -> None:
        for name, cells in zip(names, zip(*waiting, strict=True), strict=True) if waiting else ():
            chunks[name].append(pa.array(cells, pa.string()))
        waiting.clear()

    for line, cells in rows:
        lines.append(line)
        waiting.append(cells)
        if len(waiting) == CHUNK:
            flush()
    flush()
    return np.array(lines, dtype=np.int64), {
        name: pa.chunked_array(parts, pa.string()) for name, parts in chunks.items()
    }


def texts(cells: Sequence[str]) -> pa.ChunkedArray:
    """Make a column of texts.

    Args:
        cells: the texts.
    """
    import pyarrow as pa

    return pa.chunked_array([pa.array(cells, pa.string())])
