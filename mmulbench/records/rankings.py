"""Hold what models rank first for some of the forget units: numbers of items, never the items themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

PLACES = 5
"""First places that are kept of a query."""

MODELS = ("original", "unlearned", "retrain")
"""Models whose rankings are kept; a run without reference has none of retrain."""

COLUMN = "rankings"
"""Column of the file of scores by unit that holds them, in the rows of the forget set."""

MOST_ROWS = 1_000_000
"""Most places, and rows without any, that are read from a file."""


BOUNDS = {
    "side": (0, 1),
    "item": (0, inf),
    "model": (0, len(MODELS) - 1),
    "place": (1, PLACES),
    "found": (0, inf),
    "probability": (0, 1),
}
"""Least and greatest of what a first place says."""


@dataclass(frozen=True)
class Rankings:
    """Holds the first places of one model; all arrays have a row for each place.

    In retrieval a unit searches the items of the second modality (side 0), and an item of the second modality
    those of the first (side 1). In classification what is found are classes, of a pair of the unit.

    Attributes:
        unit: the forget unit, numbered as in the task's data.
        path: association path that ranks.
        side: modality of what searches, 0 for the first.
        item: what searches; in classification the pair's item of the second modality.
        place: 1 to `PLACES`, 1 is the best.
        found: the item of the other modality at this place, or the class.
        is_true: whether that is right.
        probability: the model's probability of the class; NaN in retrieval.
    """

    unit: NDArray[np.int64]
    path: NDArray[np.str_]
    side: NDArray[np.int64]
    item: NDArray[np.int64]
    place: NDArray[np.int64]
    found: NDArray[np.int64]
    is_true: NDArray[np.bool_]
    probability: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Rankings]) -> Rankings:
        """Return the rows of several in one, in their order.

        Args:
            parts: at least one.
        """
        import numpy as np

        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


def nested(rankings: Mapping[str, Rankings], rows: Mapping[tuple[int, str], int], count: int) -> pa.ListArray:
    """Return first places as a column of lists, one for each row of a table.

    Args:
        rankings: by the name of the model, its first places.
        rows: by unit and path, the row of the table that they belong to.
        count: number of the table's rows.
    """
    import numpy as np
    import pyarrow as pa

    every = Rankings.joined([*rankings.values()])
    models = [MODELS.index(name) for name, one in rankings.items() for _ in one.unit]
    row = np.array([rows[key] for key in zip(every.unit.tolist(), every.path.tolist(), strict=True)], int)
    order, kinds = np.argsort(row, kind="stable"), [*place_type()]
    values = {**{one.name: getattr(every, one.name) for one in fields(Rankings)}, "model": np.array(models)}
    columns = [
        pa.array(values[one.name][order], from_pandas=True).cast(one.type, safe=False) for one in kinds
    ]
    places = pa.StructArray.from_arrays(columns, fields=kinds)
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))])
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), places)


def flat(table: pa.Table) -> pa.Table:
    """Return the first places of a table, one a row.

    Args:
        table: columns ``unit``, ``path`` and `COLUMN`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = table.combine_chunks()
    column = whole[COLUMN].combine_chunks()
    places, row = pc.list_flatten(column), pc.list_parent_indices(column)
    parts = {"unit": whole["unit"].take(row), "path": whole["path"].take(row)}
    parts |= {name: pc.struct_field(places, name) for name in place_type().names}
    return pa.table(parts)


def named(places: pa.Table) -> pa.Table:
    """Return first places with the names of the models.

    Args:
        places: as of `flat`, without a fault.
    """
    import pyarrow as pa

    names = pa.array(MODELS).take(places["model"].combine_chunks())
    return places.set_column(places.column_names.index("model"), "model", names)


def no_places() -> pa.Table:
    """Return a table of first places without rows."""
    import pyarrow as pa

    kinds = [(one.name, one.type) for one in place_type()]
    empty: pa.Table = pa.schema([("unit", pa.int64()), ("path", pa.string()), *kinds]).empty_table()
    return named(empty)


def fault_in(places: pa.Table) -> str:
    """Say what in first places cannot be; empty where all can.

    Args:
        places: as of `flat`.
    """
    import pyarrow.compute as pc

    for name in (one.name for one in place_type() if one.name != "probability"):
        if places[name].null_count:
            return f"a {name} is missing"
    for name, (low, high) in BOUNDS.items():
        ends = pc.min_max(places[name]).as_py()
        wrong = [one for one in ends.values() if one is not None and not low <= one <= high]
        if wrong:
            return f"{wrong[0]} is no {name}: it is {low} " + ("or more" if high == inf else f"to {high}")
    once = places.group_by(["unit", "path", "side", "item", "model", "place"]).aggregate([])
    return "" if len(once) == len(places) else "a place is there twice"


def place_type() -> pa.StructType:
    """Return the type of a first place in a file."""
    import pyarrow as pa

    return pa.struct(
        [
            ("side", pa.int8()),
            ("item", pa.int64()),
            ("model", pa.int8()),
            ("place", pa.int8()),
            ("found", pa.int64()),
            ("is_true", pa.bool_()),
            ("probability", pa.float32()),
        ]
    )
