"""Know how large a parquet file's columns are in memory before they are: a few kilobytes may say gigabytes.

A column of texts holds each different value once, in a dictionary, and a number for each row. The sizes that
the file declares are those of this form. So texts are read in it, too, and counted before they are written
out for each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mmulbench.errors import MmulbenchError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

NUMBER = 8
"""Bytes of the largest number, and at most of what stands for a text."""

SHARING = "DELTA_BYTE_ARRAY"
"""Form in which a text takes its beginning from the one before, so that it may take no room of its own."""


def open_encoded(opened: BinaryIO, columns: Sequence[str]) -> ParquetFile:
    """Open a parquet file so that texts are read as the file holds them, each different one once.

    Args:
        opened: the file.
        columns: names of the columns that will be read; those that are not there, or hold lists, are left as
            they are.

    Raises:
        ArrowException: The file is none, or is damaged.
    """
    from pyarrow import parquet

    metadata = parquet.read_metadata(opened)
    plain = {metadata.schema.column(number).path for number in range(metadata.num_columns)}
    opened.seek(0)
    return parquet.ParquetFile(
        opened, metadata=metadata, read_dictionary=[name for name in columns if name in plain]
    )


def refuse_large(path: Path, file: ParquetFile, columns: Sequence[str], most: int) -> None:
    """Refuse a file whose columns must be larger than they may, by what it says of itself.

    Args:
        path: the file, for the message.
        file: the same, opened.
        columns: names of the columns that will be read.
        most: most bytes of all these columns in a row group, as the file holds them and as memory does.

    Raises:
        MmulbenchError: They are larger.
    """
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        every = map(metadata.row_group(group).column, range(metadata.num_columns))
        chunks = [one for one in every if one.path_in_schema.partition(".")[0] in columns]
        declared = sum(one.total_uncompressed_size for one in chunks)
        unpacked = sum(one.num_values for one in chunks) * NUMBER
        shared = sum(
            one.num_values * one.total_uncompressed_size for one in chunks if SHARING in one.encodings
        )
        if max(declared, unpacked, shared) > most:
            raise MmulbenchError(f"{path}: columns of more than {most:,} bytes are refused")


def size_of(cells: pa.Array | pa.ChunkedArray) -> int:
    """Return how many bytes cells take when each holds its own value, without making them.

    Args:
        cells: of one column.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    chunks = cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]
    total = 0
    for chunk in chunks:
        if not types.is_dictionary(chunk.type) or not _is_text(chunk.type.value_type):
            total += int(chunk.nbytes)
            continue
        lengths: Any = pc.binary_length(chunk.dictionary).take(chunk.indices)
        total += (pc.sum(lengths.cast(pa.int64())).as_py() or 0) + NUMBER * len(chunk)
    return total


def _is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )
