"""Print a list of records to choose from, a line each with the id that ``mmulbench show`` takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmulbench import defaults
from mmulbench.errors import UsageError
from mmulbench.plain_text import one_line
from mmulbench.records.group_key import GroupKey
from mmulbench.tables import Column, WholeTable, show
from mmulbench.validity.index import Entry, RecordIndex

SHORT_ID = 6
"""Fewest characters of ids in a list; it has as many as tell them apart."""


def print_records(paths: Sequence[Path], results: Path, *, as_json: bool) -> None:
    """Print what there is of several records, so that one can be chosen; files that are none are left out.

    Args:
        paths: their files.
        results: the results folder that they lie in.
        as_json: whether to print JSON.

    Raises:
        UsageError: None of the files is a record.
    """
    index = RecordIndex(results, defaults.records_cache())
    looked = map(index.look, paths)
    found = [(entry, GroupKey.of_text(entry.known.table)) for entry in looked if isinstance(entry, Entry)]
    index.save()
    if not found:
        raise UsageError(f"none of the {len(paths)} files is a valid record, such as {paths[0]}")
    if as_json:
        print(json.dumps([_fields(entry, key) for entry, key in found], indent=2))
        return
    digits = _telling_apart([entry.known.run_id for entry, _ in found])
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
    for entry, key in found:
        known = entry.known
        cells = (known.method, key.task, key.backbone, f"{key.forget_size:,}", str(known.seed), known.status)
        number = "–" if known.gap is None else f"{known.gap:.3f}"
        table.add_row(known.run_id[:digits], *map(one_line, cells), number)
    show(table, "", f"One of them: mmulbench show {found[0][0].known.run_id[:digits]}")


def _telling_apart(ids: Sequence[str]) -> int:
    """Return how many characters tell all ids apart."""
    longest = max(map(len, ids))
    return next(
        (n for n in range(SHORT_ID, longest) if len({one[:n] for one in ids}) == len(set(ids))), longest
    )


def _fields(entry: Entry, key: GroupKey) -> dict[str, Any]:
    known = entry.known
    return {
        "run_id": known.run_id,
        "path": str(entry.path),
        "task": key.task,
        "backbone": key.backbone,
        "method": known.method,
        "forget_size": key.forget_size,
        "forget_list": key.forget or None,
        "seed": known.seed,
        "status": known.status,
    }
