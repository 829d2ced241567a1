"""Compare the file of scores by unit that lies beside a record with the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.records.rankings import MODELS
from mmulbench.records.schema import RunResult
from mmulbench.records.unit_files import NUMBERS, UnusableUnits, rankings_in, unit_file, units_in
from mmulbench.validity.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

SETS = ("test", "retain", "forget")
"""Sets that the file has units of."""


def check_content(record: RunResult, content: bytes, path: Path) -> Iterator[Finding]:
    """Yield what in a file of scores does not agree with the record that names it.

    Args:
        record: the record, which names this content by its digest.
        content: content of the file.
        path: file of the record.
    """
    table = units_in(content, unit_file(path))
    if isinstance(table, UnusableUnits):
        yield Finding("units", f"names a file of which {table.reason}", "one of scores by unit")
        return
    yield from _check_rows(record, table)
    yield from _check_numbers(record, table)
    yield from _check_rankings(record, rankings_in(content, unit_file(path)))


def check_absence(path: Path) -> Iterator[Finding]:
    """Yield a finding where a file of scores lies beside a record that names none.

    Args:
        path: file of the record.
    """
    if unit_file(path).exists():
        yield Finding("units", f"is null beside {unit_file(path).name}", "the digest of that file")


def _check_rows(record: RunResult, table: pa.Table) -> Iterator[Finding]:
    """Compare sets, paths, numbers of units and of pairs."""
    rows = table.select(["split", "path", "unit", "pairs"]).to_pylist()
    paths, sets = {row["path"] for row in rows}, {row["split"] for row in rows}
    if sets != set(SETS):
        yield Finding("units", f"names a file of the sets {_listed(sets)}", _listed(SETS))
    if paths != set(record.histograms):
        yield Finding("units", f"names a file of the paths {_listed(paths)}", _listed(record.histograms))
    if any(row["pairs"] is None or row["pairs"] < 1 for row in rows):
        yield Finding("units", "names a file with units without pairs", "of 1 pair or more each")
    for path in sorted(paths & set(record.histograms)):
        of_forget = [row for row in rows if (row["split"], row["path"]) == ("forget", path)]
        units, size = {row["unit"] for row in of_forget}, record.spec.forget_size
        if len(of_forget) != len(units) or len(units) < size:  # a unit may be several items
            found = f"names a file of {len(of_forget)} rows of {len(units)} forget units on {path}"
            yield Finding("units", found, f"{size} of each, the forget size")
        elif record.by_unit and [row["pairs"] for row in of_forget] != list(record.by_unit["pairs"]):
            yield Finding("units", f"names a file of other pairs on {path}", "those of by_unit")


def _check_numbers(record: RunResult, table: pa.Table) -> Iterator[Finding]:
    """Demand that numbers are finite, and that those of retrain are there where it was compared with."""
    import pyarrow.compute as pc

    compared = any(value.retrain is not None for value in record.values.values())
    for name in NUMBERS:
        column = table[name]
        is_wanted = compared or not name.startswith("retrain_")
        if column.null_count != (0 if is_wanted else len(column)):
            wanted = "there for each unit" if is_wanted else "absent, since there is no retrain"
            yield Finding("units", f"names a file whose {name} is not complete or not wanted", wanted)
        elif is_wanted and not pc.all(pc.is_finite(column)).as_py():
            yield Finding("units", f"names a file whose {name} is not finite", "finite")


def _check_rankings(record: RunResult, found: pa.Table | UnusableUnits) -> Iterator[Finding]:
    """Demand that rankings are possible, of a few units, and of retrain where it was compared with."""
    if isinstance(found, UnusableUnits):
        yield Finding("units", f"names a file of which {found.reason}", "one of scores by unit")
        return
    if not len(found):  # of a run from before rankings were kept
        return
    compared = any(value.retrain is not None for value in record.values.values())
    models, wanted = set(found["model"].to_pylist()), set(MODELS if compared else MODELS[:-1])
    if models != wanted:
        yield Finding("units", f"names a file of rankings by {_listed(models)}", _listed(wanted))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
