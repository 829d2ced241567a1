"""Find records by what a user remembers of them: the path, the start of the id, or a name."""

from __future__ import annotations

from pathlib import Path

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.records.record_files import Unreadable, find_files
from mmulbench.records.store import folder_of_backbone

SHORTEST = 4
"""Fewest characters of an id that name a record."""


def find_records(text: str, results: Path) -> list[Path]:
    """Return the files of the records that a word names, in the order of their paths.

    Args:
        text: path of a record; or the name of a task, a backbone or a method, for all records that have it;
            or several names with slashes between them, such as ``emoji/mmul``; or the start of an id.
        results: folder of the records that ids and names are looked for in.

    Raises:
        UsageError: Nothing has such a path, name or id.
    """
    if text.endswith(".json") or Path(text).is_file():
        return [Path(text)]
    files = [one for one in find_files(results) if not isinstance(one, Unreadable)]
    names = {path: path.relative_to(results).parts[:-1] for path in files}
    wanted = {folder_of_backbone(part) if ":" in part else part for part in text.split("/") if part}
    found = [path for path in files if wanted and wanted <= set(names[path])]
    if not found and len(text) >= SHORTEST:
        found = [path for path in files if path.stem.rpartition("-")[2].startswith(text)]
    if not found:
        known = {name for path in files for name in names[path]}
        near = did_you_mean(text, known) if known else f"; {results} holds no records"
        raise UsageError(f"{text!r} is no record's path or name, and no id in {results} begins with it{near}")
    return found


def find_record(text: str, results: Path) -> Path:
    """Return the file of the only record that a word names.

    Args:
        text: as for `find_records`.
        results: folder of the records.

    Raises:
        UsageError: It names none, or several.
    """
    found = find_records(text, results)
    if len(found) > 1:
        raise UsageError(
            f"{text!r} names {len(found)} records, such as {found[0]} and {found[1]}: give the path of one"
        )
    return found[0]
