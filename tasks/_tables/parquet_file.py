"""Read the columns of a parquet file that nobody vouches for as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench import MmulbenchError
from mmulbench.errors import text_of
from mmulbench.lfs_pointers import refuse_lfs_pointer
from mmulbench.parquet_sizes import open_encoded, refuse_large, size_of
from mmulbench.tasks._official.json_files import DOCUMENT_BYTES

if TYPE_CHECKING:
    import pyarrow as pa

EXACT = 2**53
"""Numbers below it are whole in a float as they are in an integer."""


def read_parquet(path: Path) -> tuple[dict[str, pa.ChunkedArray], dict[str, str]]:
    """Read all columns of single values; others, such as pictures, stay in the file.

    Args:
        path: the file.

    Returns:
        Cells by column, and what the columns hold that were not read.

    Raises:
        MmulbenchError: if the file cannot be read, is a Git LFS pointer, has two columns of one name, or is
            in memory larger than `DOCUMENT_BYTES`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    refuse_lfs_pointer(path)
    try:
        with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
            schema = file.schema_arrow
            nested = {field.name: _said(field.type) for field in schema if not _is_single(field.type)}
            single = [name for name in schema.names if name not in nested]
            for name in schema.names:
                if schema.names.count(name) > 1:
                    raise MmulbenchError(f"{path}: two columns are called {name!r}")
        with path.open("rb") as opened, open_encoded(opened, single) as file:
            refuse_large(path, file, single, DOCUMENT_BYTES)
            table = file.read(columns=single)
            if sum(size_of(table[name]) for name in single) > DOCUMENT_BYTES:
                raise MmulbenchError(f"{path}: columns of more than {DOCUMENT_BYTES:,} bytes are refused")
            return {name: _as_text(table[name]) for name in single}, nested
    except (pa.ArrowException, ValueError, MemoryError, OSError) as error:
        raise MmulbenchError(f"{path}: cannot be read as parquet: {text_of(error)}") from error


def _is_single(kind: pa.DataType) -> bool:
    """Tell whether values of a type are texts, numbers or dates, which have one spelling."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return _is_single(kind.value_type)
    tests = (
        types.is_string,
        types.is_large_string,
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_decimal,
        types.is_temporal,
        types.is_null,
    )
    return any(test(kind) for test in tests)


def _said(kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return "pictures"
    return "lists" if types.is_list(kind) or types.is_large_list(kind) else str(kind)


def _as_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells as text, empty where nothing is there; whole numbers have no point.

    A column of whole numbers that lacks one is a column of floats where pandas has made it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if types.is_floating(cells.type):
        whole = pc.and_(pc.equal(cells, pc.floor(cells)), pc.less(pc.abs(cells), EXACT))
        cells = cells.cast(pa.int64()) if pc.all(whole).as_py() else cells
    return pc.fill_null(cells.cast(pa.string()), "")
