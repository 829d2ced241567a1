"""Keep scores by unit in a Parquet file beside a record, which knows it by its digest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.files import read_regular, reason_of
from mmulbench.records.rankings import (
    COLUMN,
    MOST_ROWS,
    Rankings,
    fault_in,
    flat,
    named,
    nested,
    no_places,
    place_type,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SUFFIX = ".units.parquet"
"""What stands in place of a record's ``.json`` in the name of its file of scores."""

NUMBERS = ("score", "retrain_score", "original_score", "loss", "retrain_loss", "original_loss")
"""Columns of numbers: mean association score and mean loss of a unit's pairs, of each model."""

LARGEST = 1 << 30
"""Most bytes of a file of scores that is read."""


@dataclass(frozen=True)
class UnitScores:
    """Holds what three models say of the pairs of each unit; all arrays have a row for each unit and path.

    Attributes:
        split: name of the set that the unit is in.
        unit: the unit, numbered as in the task's data.
        path: association path.
        pairs: number of the unit's pairs.
        numbers: means over these pairs by the names of `NUMBERS`; a run without retrain has none of it.
    """

    split: NDArray[np.str_]
    unit: NDArray[np.int64]
    path: NDArray[np.str_]
    pairs: NDArray[np.int64]
    numbers: Mapping[str, NDArray[np.float64]]

    @classmethod
    def joined(cls, parts: Sequence[UnitScores]) -> UnitScores:
        """Return the rows of several in one, in their order.

        Args:
            parts: at least one; all have the same numbers.
        """
        import numpy as np

        return cls(
            split=np.concatenate([part.split for part in parts]),
            unit=np.concatenate([part.unit for part in parts]),
            path=np.concatenate([part.path for part in parts]),
            pairs=np.concatenate([part.pairs for part in parts]),
            numbers={
                name: np.concatenate([part.numbers[name] for part in parts]) for name in parts[0].numbers
            },
        )

    def to_parquet(self, rankings: Mapping[str, Rankings] | None = None) -> bytes:
        """Return the content of a file of these scores; equal scores give equal bytes.

        Args:
            rankings: by the name of a model, what it ranks first for some of the forget units; None leaves
                the column out.
        """
        import pyarrow as pa
        from pyarrow import parquet

        missing = pa.nulls(len(self.unit))
        numbers = {name: self.numbers.get(name, missing) for name in NUMBERS}
        columns = {"split": self.split, "unit": self.unit, "path": self.path, "pairs": self.pairs, **numbers}
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        # Models compute in single precision at most: half the size, and nothing lost.
        table = table.cast(_schema(), safe=False)
        if rankings:
            rows = {
                (unit, path): row
                for row, (split, unit, path) in enumerate(
                    zip(self.split.tolist(), self.unit.tolist(), self.path.tolist(), strict=True)
                )
                if split == "forget"
            }
            table = table.append_column(COLUMN, nested(rankings, rows, len(self.unit)))
        content = io.BytesIO()
        parquet.write_table(table, content, compression="zstd", use_dictionary=["split", "path"])
        return content.getvalue()


@dataclass(frozen=True)
class UnusableUnits:
    """Says why the scores by unit of a record cannot be used.

    Attributes:
        path: their file.
        reason: why it cannot be used; one line.
    """

    path: Path
    reason: str


def unit_file(record: Path) -> Path:
    """Return the file of scores by unit that lies beside the file of a record.

    Args:
        record: file of the record.

    Example:
        >>> unit_file(Path("64-42-82a2599cbaea.json")).name
        '64-42-82a2599cbaea.units.parquet'
    """
    return record.with_name(record.stem + SUFFIX)


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_units(record: Path, digest: str) -> pa.Table | UnusableUnits:
    """Read the scores by unit of a record.

    Args:
        record: file of the record.
        digest: SHA-256 that the record names.

    Returns:
        A table with the columns of `UnitScores`; or why there is none: the file is gone, or is another than
        the one that was written with the record.
    """
    content = _content(record, digest)
    return content if isinstance(content, UnusableUnits) else units_in(content, unit_file(record))


def read_rankings(record: Path, digest: str) -> pa.Table | UnusableUnits:
    """Read what models rank first for some of the forget units of a record.

    Args:
        record: file of the record.
        digest: SHA-256 that the record names.

    Returns:
        A table as of `mmulbench.records.rankings.flat`, without rows where none were kept; or why there is
        none: as for `read_units`, or something in it cannot be.
    """
    content = _content(record, digest)
    return content if isinstance(content, UnusableUnits) else rankings_in(content, unit_file(record))


def _content(record: Path, digest: str) -> bytes | UnusableUnits:
    """Return the content of a record's file, or why it cannot be used."""
    path = unit_file(record)
    try:
        content = read_regular(path, LARGEST)
    except FileNotFoundError:
        return UnusableUnits(path, "it is gone; the run makes it again with --overwrite always")
    except OSError as error:
        return UnusableUnits(path, reason_of(error))
    if digest_of(content) != digest:
        return UnusableUnits(path, "it is not the file that its record names: it was changed or swapped")
    return content


def units_in(content: bytes, path: Path) -> pa.Table | UnusableUnits:
    """Return the scores that a file's content is, or why it is none.

    Args:
        content: content of the file.
        path: the file.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(io.BytesIO(content), schema=_schema())
    except (pa.ArrowException, ValueError, OSError) as error:
        return UnusableUnits(path, f"it holds no scores by unit: {error}")


def rankings_in(content: bytes, path: Path) -> pa.Table | UnusableUnits:
    """Return the first places that a file's content holds, or why they cannot be used.

    Args:
        content: content of the file.
        path: the file.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        metadata = parquet.read_metadata(io.BytesIO(content))
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        chunks = [group.column(number) for group in groups for number in range(metadata.num_columns)]
        mine = [one for one in chunks if one.path_in_schema.partition(".")[0] == COLUMN]
        if not mine:
            return no_places()
        if sum(one.num_values for one in mine) > MOST_ROWS * len(place_type().names):
            return UnusableUnits(path, f"it holds more than {MOST_ROWS:,} places of rankings")
        kinds = [(one.name, one.type) for one in _schema() if one.name in ("split", "unit", "path")]
        schema = pa.schema([*kinds, (COLUMN, pa.list_(place_type()))])
        table = parquet.read_table(io.BytesIO(content), schema=schema)
        places = flat(table.filter(pa.compute.equal(table["split"], "forget")))
    except (pa.ArrowException, ValueError, OSError) as error:
        return UnusableUnits(path, f"it holds no rankings: {error}")
    fault = fault_in(places)
    return UnusableUnits(path, f"its rankings cannot be: {fault}") if fault else named(places)


def no_units() -> pa.Table:
    """Return a table of scores without rows."""
    return _schema().empty_table()


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("split", pa.string()),
            ("unit", pa.int64()),
            ("path", pa.string()),
            ("pairs", pa.int32()),
            *((name, pa.float32()) for name in NUMBERS),
        ]
    )
