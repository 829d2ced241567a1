"""Check files and folders of records for ``mmulbench validate``: form, place, and what they say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mmulbench.errors import UsageError
from mmulbench.files import read_regular
from mmulbench.records.record_files import Unreadable, find_files, read_file
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.validity.findings import Finding, shown
from mmulbench.validity.record import findings

LEVELS = 3
"""Folders that a record lies in: its task's, its backbone's, its method's."""


@dataclass(frozen=True)
class Checked:
    """Holds what was found in one file.

    Attributes:
        path: the file, or a folder that cannot be searched.
        faults: what is wrong.
        unchecked: what cannot be checked here.
    """

    path: Path
    faults: tuple[Finding, ...]
    unchecked: tuple[Finding, ...] = ()


def check_places(places: Iterable[Path]) -> Iterator[Checked]:
    """Check each file, and each record in each folder, in the order given and then of their paths.

    Args:
        places: files and folders.

    Raises:
        UsageError: One is not there, or a folder holds no records.
    """
    for place in places:
        if not place.exists() and not place.is_symlink():
            raise UsageError(f"there is no record and no folder {place}; check the path")
        if not place.is_dir():
            yield check_file(place)
            continue
        files = list(find_files(place))
        if not files:
            raise UsageError(f"there are no records in {place}")
        for file in files:
            yield _damaged(file) if isinstance(file, Unreadable) else check_file(file)


def check_file(path: Path) -> Checked:
    """Check one file.

    Args:
        path: the file.
    """
    found = read_file(path)
    if found is None:
        return Checked(path, (Finding("file", "is gone", "there"),))
    if isinstance(found, Unreadable):
        of_form = tuple(_faults_of_form(path)) if found.is_damaged else ()
        return Checked(path, of_form or _damaged(found).faults)
    every = [*_faults_of_text(path), *_faults_of_place(path, found), *findings(found)]
    faults = tuple(one for one in every if one.is_fault)
    return Checked(path, faults, tuple(one for one in every if not one.is_fault))


def _damaged(found: Unreadable) -> Checked:
    return Checked(found.path, (Finding("file", f"is no record: {found.reason}", "one that is whole"),))


def _faults_of_form(path: Path) -> Iterator[Finding]:
    """Yield each field that is not as the schema says; nothing where the file is no record at all."""
    try:
        result = RunResult.model_validate_json(read_regular(path))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            if fault["type"] == "json_invalid" or not fault["loc"]:
                return
            given = fault["input"]
            what = shown(given) if isinstance(given, str | int | float | None) else type(given).__name__
            wanted = str(fault["msg"]).removeprefix("Value error, ")
            absent = fault["type"] == "missing"
            yield Finding(
                ".".join(map(str, fault["loc"])),
                "is missing" if absent else f"is {what}",
                f"valid ({wanted})",
            )
    except OSError:
        return
    else:
        if result.run_id != result.spec.run_id:
            yield Finding("run_id", f"is {shown(result.run_id)}", f"{result.spec.run_id}, the hash of spec")


def _faults_of_text(path: Path) -> Iterator[Finding]:
    """Yield the names that an object of the file has twice: readers take one of the values, or the other."""
    twice: list[str] = []

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.extend(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return found

    json.loads(read_regular(path), object_pairs_hook=unique)
    for name in twice:
        yield Finding(name, "is there twice in one object", "there once")


def _faults_of_place(path: Path, record: RunResult) -> Iterator[Finding]:
    """Yield a finding where a file does not lie where a results folder has this record."""
    absolute = path.absolute()
    store = ResultsStore(absolute.parents[min(LEVELS, len(absolute.parents) - 1)])
    try:
        home = store.path(record.spec)
    except UsageError as error:
        yield Finding("spec", f"has a name that is none of a folder ({error})", "made of names of folders")
        return
    if home != absolute:
        wanted = "/".join(home.parts[-LEVELS - 1 :])
        yield Finding(
            "file", f"is at {'/'.join(absolute.parts[-LEVELS - 1 :])}", f"at {wanted}, as spec says"
        )
