"""Read the records of a folder, and leave out those that do not hold together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmulbench.many_objects import uncollected
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.validity.record import reason_to_leave_out


@uncollected()
def load_valid(
    folder: Path, task: str | None = None, keep: Callable[[RunResult], RunResult] | None = None
) -> tuple[list[RunResult], list[Unreadable]]:
    """Return the records of a folder that hold together, and what is left out, both in the order of paths.

    Args:
        folder: folder of the records.
        task: only this task's; None for all.
        keep: makes of each valid record what is kept of it, before the next is read; None keeps all.

    Raises:
        UsageError: The task cannot be a folder's name.
    """
    store = ResultsStore(folder)
    valid, left_out = [], []
    for found in store.each(task):
        if isinstance(found, Unreadable):
            left_out.append(found)
        elif (reason := reason_to_leave_out(found)) is not None:
            left_out.append(Unreadable(store.path_of(found), reason))
        else:
            valid.append(found if keep is None else keep(found))
    return valid, sorted(left_out, key=lambda one: one.path)
