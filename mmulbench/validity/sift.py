"""Read the records of a folder, and leave out those that do not hold together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mmulbench.many_objects import uncollected
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import RunResult
from mmulbench.records.store import UNCHECKED, ResultsStore
from mmulbench.validity.findings import in_one_line
from mmulbench.validity.index import Entry
from mmulbench.validity.known import findings_in
from mmulbench.validity.record import reason_to_leave_out


@uncollected()
def load_valid(folder: Path, task: str | None = None) -> tuple[list[RunResult], list[Unreadable]]:
    """Return the records of a folder that hold together, and what is left out, both in the order of paths.

    Args:
        folder: folder of the records.
        task: only this task's; None for all.

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
            valid.append(found)
    return valid, sorted(left_out, key=lambda one: one.path)


def sift(found: Iterable[Entry | Unreadable], root: Path) -> tuple[list[Entry], list[Unreadable]]:
    """Part the files of records that hold together from what is left out, both in the order of paths.

    Args:
        found: what the results folder holds.
        root: the results folder.
    """
    start = str(root / "x")[:-1]
    valid, left_out = [], []
    for entry in found:
        if isinstance(entry, Unreadable):
            left_out.append(entry)
        elif (reason := _reason(entry, start)) is not None:
            left_out.append(Unreadable(entry.path, reason))
        else:
            valid.append(entry)
    return valid, sorted(left_out, key=lambda one: one.path)


def _reason(entry: Entry, start: str) -> str | None:
    """Say why a file is left out; None where it is not.

    Args:
        entry: the file.
        start: path of the results folder, as all paths in it begin.
    """
    known = entry.known
    if known.homeless:
        return known.homeless
    if str(entry.path) != f"{start}{known.home}":
        return f"it is the record that belongs at {start}{known.home}"
    if known.is_unchecked:
        return UNCHECKED
    return in_one_line([one for one in findings_in(known.findings) if one.is_fault])
