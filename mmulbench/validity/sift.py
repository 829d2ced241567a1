"""Read the records of a folder, and leave out those that do not hold together."""

from __future__ import annotations

from pathlib import Path

from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.validity.record import reason_to_leave_out


def load_valid(folder: Path, task: str | None = None) -> tuple[list[RunResult], list[Unreadable]]:
    """Return the records of a folder that hold together, and what is left out, both in the order of paths.

    Args:
        folder: folder of the records.
        task: only this task's; None for all.

    Raises:
        UsageError: The task cannot be a folder's name.
    """
    store = ResultsStore(folder)
    records, left_out = store.load_all(task)
    valid = []
    for record in records:
        reason = reason_to_leave_out(record)
        if reason is None:
            valid.append(record)
        else:
            left_out.append(Unreadable(store.path(record.spec), reason))
    return valid, sorted(left_out, key=lambda one: one.path)
