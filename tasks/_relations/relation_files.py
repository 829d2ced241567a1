"""Read relation data that nobody vouches for: TSV, JSON lines or parquet, every fault with its place."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mmulbench import MmulbenchError, UsageError, csv_quoting
from mmulbench.errors import text_of
from mmulbench.lfs_pointers import refuse_lfs_pointer
from mmulbench.parquet_sizes import open_encoded, refuse_large, size_of
from mmulbench.tasks._official.json_files import (
    BOM,
    DOCUMENT_BYTES,
    DataRow,
    raw_lines,
    read_lines,
    refuse_binary,
    refuse_long,
)

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

SUFFIXES = (".tsv", ".jsonl", ".parquet")
"""Suffixes of files that are read, the preferred one first."""

PICKLES = (".pkl", ".pickle", ".pt", ".pth")
"""Suffixes of files that are refused."""

BATCH_ROWS = 1024
"""Number of rows of a parquet file that are in memory at once."""

OLDEST_PYARROW = (14, 0, 1)
"""Oldest version that is used; before it, opening a parquet file could unpickle what is in it
(CVE-2023-47248)."""


def find_file(folder: Path, stem: str) -> Path | None:
    """Find the first of ``stem.tsv``, ``stem.jsonl`` and ``stem.parquet``.

    Args:
        folder: folder to look in.
        stem: name of the file without its suffix.

    Returns:
        The file, or None where there is none.
    """
    return next((file for file in (folder / f"{stem}{one}" for one in SUFFIXES) if file.is_file()), None)


def refuse_pickles(folder: Path, stems: Sequence[str]) -> None:
    """Say what to do about a pickle where another file is needed.

    Args:
        folder: folder to look in.
        stems: names of the needed files without their suffixes.

    Raises:
        MmulbenchError: if one of the files is there as a pickle.
    """
    for file in (folder / f"{stem}{one}" for stem in stems for one in PICKLES):
        if file.exists():
            raise MmulbenchError(
                f"{file}: a pickle is refused, since loading one can run any program; it was not opened. If "
                f"you trust who made it, convert it yourself to {file.stem}.tsv, .jsonl or .parquet"
            )


def read_rows(path: Path, columns: Sequence[str], task: str) -> Iterator[DataRow]:
    """Read the rows of a file of any form.

    Args:
        path: file whose name ends in one of `SUFFIXES`.
        columns: names of the columns that are needed.
        task: name of the task, for messages.

    Raises:
        UsageError: if it is a parquet file, and pyarrow is missing or too old.
        MmulbenchError: if the file is damaged, or holds something else.
    """
    if path.suffix == ".parquet":
        return read_parquet(path, columns, task)
    return read_lines(path) if path.suffix == ".jsonl" else read_tsv(path, columns)


def read_tsv(path: Path, columns: Sequence[str]) -> Iterator[DataRow]:
    """Read the rows of a file of tab-separated columns, whose first line names them.

    Quotation marks are characters like any other, unless all of the file is quoted as CSV, as pandas writes
    it; `csv_quoting` tells. Empty lines, Windows line ends, a byte-order mark and further columns are fine.

    Args:
        path: file to read.
        columns: names of the columns that are needed.

    Raises:
        MmulbenchError: if the file cannot be read, a column is missing, or a line is longer than
            `LINE_BYTES`, not text, or of another number of columns.
    """
    header: list[str] = []
    quoted = csv_quoting(line for _, line in _text_lines(path)) != csv.QUOTE_NONE
    for where, line in _text_lines(path):
        cells = [_unquoted(cell) if quoted else cell for cell in line.split("\t")]
        if not header:
            header = cells
            for name in columns:
                if header.count(name) != 1:
                    fault = (
                        "is there twice" if name in header else "is missing (the first line names columns)"
                    )
                    raise MmulbenchError(f"{where}: the column {name!r} {fault}")
        elif len(cells) != len(header):
            raise MmulbenchError(
                f"{where}: needs {len(header)} columns separated by tabs, as in the first line, "
                f"not {len(cells)}"
            )
        else:
            yield DataRow(where, dict(zip(header, cells, strict=True)))
    if not header:
        raise MmulbenchError(f"{path}:1: the file is empty: its first line must name the columns")


def _unquoted(cell: str) -> str:
    """Return what a cell of a file that is quoted as CSV says."""
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _text_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Read place and text of every line that is not empty."""
    for number, where, line in raw_lines(path):
        if number == 1:
            line = line.removeprefix(BOM)
            refuse_binary(line, where, "TSV")
        refuse_long(line, where)
        text = _decoded(line, where)
        if text.strip():
            yield where, text


def _decoded(line: bytes, where: str) -> str:
    """Return the text of a line without its end.

    Raises:
        MmulbenchError: if the line is not text.
    """
    if b"\0" in line:
        raise MmulbenchError(f"{where}: a NUL byte (byte {line.index(0) + 1}): this is not a text file")
    try:
        return line.rstrip(b"\r\n").decode("utf-8")
    except UnicodeDecodeError as error:
        raise MmulbenchError(f"{where}: not UTF-8 text (byte {error.start + 1})") from error


def read_parquet(path: Path, columns: Sequence[str], task: str) -> Iterator[DataRow]:
    """Read the rows of a parquet file, a few at a time.

    Args:
        path: file to read.
        columns: names of the columns that are needed.
        task: name of the task, for messages.

    Raises:
        UsageError: if pyarrow is missing or too old.
        MmulbenchError: if the file cannot be read, is a Git LFS pointer, a column is missing, or a row group
            is in memory larger than `DOCUMENT_BYTES`.
    """
    pyarrow = _pyarrow(task)
    number = 0
    try:
        refuse_lfs_pointer(path)
        with path.open("rb") as opened, open_encoded(opened, columns) as file:
            _check_parquet(path, file, columns)
            room = DOCUMENT_BYTES * max(1, file.metadata.num_row_groups)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
                room -= sum(map(size_of, batch.columns))
                if room < 0:
                    raise MmulbenchError(f"{path}: columns of more than {DOCUMENT_BYTES:,} bytes are refused")
                for values in batch.to_pylist():
                    number += 1
                    yield DataRow(f"{path}: row {number}", values)
    except (pyarrow.ArrowException, ValueError, MemoryError, OSError) as error:
        reason = text_of(error)
        raise MmulbenchError(f"{path}: cannot be read as parquet after row {number}: {reason}") from error


def _check_parquet(path: Path, file: ParquetFile, columns: Sequence[str]) -> None:
    """Check columns and sizes of a parquet file before its rows are read.

    Raises:
        MmulbenchError: if a column is missing, or a row group is too large.
    """
    for name in columns:
        if file.schema_arrow.names.count(name) != 1:
            raise MmulbenchError(f"{path}: the column {name!r} is missing, or there twice")
    refuse_large(path, file, columns, DOCUMENT_BYTES)


def _pyarrow(task: str) -> ModuleType:
    """Import the module pyarrow.

    Raises:
        UsageError: if it is missing or too old.
    """
    oldest = ".".join(map(str, OLDEST_PYARROW))
    install = f'run pip install "pyarrow>={oldest}"'
    needs = f"the task {task} needs pyarrow {oldest} or newer to read parquet files: {install}"
    try:
        import pyarrow
    except ImportError as error:
        raise UsageError(needs) from error
    if tuple(int(part) for part in pyarrow.__version__.split(".")[:3] if part.isdigit()) < OLDEST_PYARROW:
        raise UsageError(f"{needs} (there is {pyarrow.__version__})")
    module: ModuleType = pyarrow
    return module
