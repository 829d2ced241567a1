"""Find the files of records and read each: whatever a file is and holds, it is a record or has a reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mmulbench.files import read_regular, reason_of
from mmulbench.records.reading import first_fault
from mmulbench.records.schema import SCHEMA_VERSION, RunResult

DEEPEST = 16
"""Most folders in each other; records lie in three."""

MOST_NAMED = 10
"""Most files that are named one by one where tables leave them out."""


@dataclass(frozen=True)
class Unreadable:
    """Describes a file that is no valid record, or a folder that cannot be searched.

    Attributes:
        path: the file or folder.
        reason: why it is none; one line.
        is_damaged: whether a new record may take its place; not where the file may be a good one for another
            user or for another version of mmulbench.
    """

    path: Path
    reason: str
    is_damaged: bool = True


def find_files(folder: Path) -> Iterator[Path | Unreadable]:
    """Yield all JSON files below a folder, also those behind links, in the order of their paths.

    A folder that cannot be searched, and a link that leads nowhere or back up, is yielded as such.

    Args:
        folder: the folder; where there is none, nothing is yielded.
    """
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield Unreadable(folder, reason_of(error), is_damaged=False)
        return
    yield from _below(folder, frozenset())


def _below(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path | Unreadable]:
    try:
        found = folder.stat()
        with os.scandir(folder) as entries:
            found_here = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Unreadable(folder, reason_of(error), is_damaged=False)
        return
    here = (found.st_dev, found.st_ino)
    if here in above or len(above) > DEEPEST:
        yield Unreadable(folder, "it leads back to a folder that it lies in" if here in above else "too deep")
        return
    for entry in found_here:
        path = folder / entry.name
        is_link = _is(entry.is_symlink)
        # Of links it is false for what cannot be looked at, in any Python; of others the folder knows it.
        is_folder = os.path.isdir(path) if is_link else _is(entry.is_dir)  # noqa: PTH112
        if is_link and not os.path.exists(path):  # noqa: PTH110
            yield Unreadable(path, "a link that leads nowhere")
        elif path.suffix == ".json" and not entry.name.startswith("."):
            yield path
        if is_folder:
            yield from _below(path, above | {here})


def _is(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:
        return False


def read_file(path: Path) -> RunResult | Unreadable | None:
    """Return the record of a file, or why it is none; None where there is no file.

    Args:
        path: the file.
    """
    try:
        content = read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Unreadable(path, reason_of(error), is_damaged=False)
    return record_in(path, content)


def record_in(path: Path, content: bytes) -> RunResult | Unreadable:
    """Return the record that a file's content is, or why it is none.

    Args:
        path: the file.
        content: what was read of it.
    """
    try:
        result = RunResult.model_validate_json(content)
    except ValidationError as error:
        return _why(path, content, error)
    if result.schema_version != SCHEMA_VERSION:
        return Unreadable(path, _other_version(result.schema_version), is_damaged=False)
    problem = inconsistency(result)
    return result if problem is None else Unreadable(path, problem)


def inconsistency(result: RunResult) -> str | None:
    """Say what contradicts itself in a record; None where nothing does."""
    if result.schema_version != SCHEMA_VERSION:
        return _other_version(result.schema_version)
    if result.run_id != result.spec.run_id:
        return f"run_id {result.run_id} is not that of its specification, {result.spec.run_id}"
    return None


def _why(path: Path, content: bytes, error: ValidationError) -> Unreadable:
    """Say why a file is no record, the cause before what follows from it."""
    try:
        fields = json.loads(content.decode())
    except ValueError as fault:
        return Unreadable(path, f"not valid JSON: {fault}")
    except RecursionError:
        return Unreadable(path, "not valid JSON: nested too deeply")
    if not isinstance(fields, dict):
        return Unreadable(path, "not a JSON object")
    # What a record of another version lacks would hide that it is one.
    if (version := fields.get("schema_version")) != SCHEMA_VERSION:
        return Unreadable(path, _other_version(version), is_damaged=version is None)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return Unreadable(path, f"{first_fault(error)}{more}")


def _other_version(version: object) -> str:
    return f"schema_version is {version}, this mmulbench reads {SCHEMA_VERSION}"
