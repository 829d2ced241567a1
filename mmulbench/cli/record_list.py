"""Print a list of records to choose from, a line each with the id that ``mmulbench show`` takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmulbench.errors import UsageError
from mmulbench.plain_text import one_line
from mmulbench.records.record_files import read_file
from mmulbench.records.schema import RunResult
from mmulbench.tables import Column, WholeTable, show

SHORT_ID = 6
"""Fewest characters of ids in a list; it has as many as tell them apart."""


def print_records(paths: Sequence[Path], *, as_json: bool) -> None:
    """Print what there is of several records, so that one can be chosen; files that are none are left out.

    Args:
        paths: their files.
        as_json: whether to print JSON.

    Raises:
        UsageError: None of the files is a record.
    """
    read = ((read_file(path), path) for path in paths)
    found = [(record, path) for record, path in read if isinstance(record, RunResult)]
    if not found:
        raise UsageError(f"none of the {len(paths)} files is a valid record, such as {paths[0]}")
    if as_json:
        print(json.dumps([_entry(record, path) for record, path in found], indent=2))
        return
    digits = _telling_apart([record.run_id for record, _ in found])
    table = WholeTable(
        [
            Column("Id"),
            Column("Method", folds=True),
            Column("Task", drop=4),
            Column("Backbone", drop=2),
            Column("Size", drop=1, right=True),
            Column("Seed", right=True),
            Column("Status"),
            Column("Gap", drop=3, right=True),
        ]
    )
    for record, _ in found:
        spec, gap = record.spec, record.values.get("retrain_gap")
        number = "–" if gap is None or gap.value is None else f"{gap.value:.3f}"
        cells = (
            spec.method,
            spec.task,
            spec.backbone,
            f"{spec.forget_size:,}",
            str(spec.seed),
            record.status,
        )
        table.add_row(record.run_id[:digits], *map(one_line, cells), number)
    show(table, "", f"One of them: mmulbench show {found[0][0].run_id[:digits]}")


def _telling_apart(ids: Sequence[str]) -> int:
    """Return how many characters tell all ids apart."""
    longest = max(map(len, ids))
    return next(
        (n for n in range(SHORT_ID, longest) if len({one[:n] for one in ids}) == len(set(ids))), longest
    )


def _entry(record: RunResult, path: Path) -> dict[str, Any]:
    spec = record.spec
    return {
        "run_id": record.run_id,
        "path": str(path),
        "task": spec.task,
        "backbone": spec.backbone,
        "method": spec.method,
        "forget_size": spec.forget_size,
        "seed": spec.seed,
        "status": record.status,
    }
