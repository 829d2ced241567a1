"""Hold the texts of a column without holding equal ones twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from mmulbench import Integers

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnValues(Sequence[str]):
    """Holds n texts as numbers of different texts.

    Args:
        different: the different texts.
        codes: (n,) number of each text among them.
    """

    def __init__(self, different: Sequence[str], codes: Integers) -> None:
        self.different: tuple[str, ...] = tuple(different)
        self.codes = codes

    @classmethod
    def of(cls, cells: pa.ChunkedArray, rows: Integers) -> ColumnValues:
        """Take some rows of a column.

        Args:
            cells: the column.
            rows: (n,) the rows.
        """
        import pyarrow as pa

        taken = cells.take(pa.array(rows)).combine_chunks().dictionary_encode()
        return cls(taken.dictionary.to_pylist(), taken.indices.to_numpy())

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self.different[code] for code in self.codes[index].tolist()]
        return self.different[int(self.codes[index])]
