"""Check files and folders of records for ``mmulbench validate``: form, place, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mmulbench.errors import UsageError
from mmulbench.file_digests import ContentChanged
from mmulbench.files import read_regular
from mmulbench.progress import Track
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import RunResult
from mmulbench.validity.findings import Finding, shown
from mmulbench.validity.index import Entry, RecordIndex
from mmulbench.validity.known import findings_in

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


def check_places(
    places: Iterable[Path], cache: Path | None = None, track: Track | None = None
) -> Iterator[Checked]:
    """Check each file, and each record in each folder, in the order given and then of their paths.

    Args:
        places: files and folders.
        cache: folder where the records of folders are remembered; None for nowhere.
        track: shows how far it is where there are many records; None for nothing.

    Raises:
        UsageError: One is not there, or a folder holds no records.
    """
    for place in places:
        if not place.exists() and not place.is_symlink():
            raise UsageError(f"there is no record and no folder {place}; check the path")
        if not place.is_dir():
            yield check_file(place)
            continue
        index = RecordIndex(place, cache)
        found = index.entries(track=track)
        if not found:
            raise UsageError(f"there are no records in {place}")
        for entry in found:
            yield _of_no_record(entry) if isinstance(entry, Unreadable) else _check_entry(entry, index)
        index.save()


def check_file(path: Path) -> Checked:
    """Check one file.

    Args:
        path: the file.
    """
    index = RecordIndex(path.parent)
    found = index.look(path)
    if found is None:
        return Checked(path, (Finding("file", "is gone", "there"),))
    return _of_no_record(found) if isinstance(found, Unreadable) else _check_entry(found, index)


def _check_entry(entry: Entry, index: RecordIndex) -> Checked:
    """Check a file by what is known of its content."""
    known = entry.known
    try:
        every = [
            *(Finding(name, "is there twice in one object", "there once") for name in index.twice(entry)),
            *_faults_of_place(entry.path, known.home, known.homeless),
            *findings_in(known.findings),
            *index.of_units(entry),
        ]
    except ContentChanged:
        return check_file(entry.path)
    faults = tuple(one for one in every if one.is_fault)
    return Checked(entry.path, faults, tuple(one for one in every if not one.is_fault))


def _of_no_record(found: Unreadable) -> Checked:
    """Say what is wrong with what is no record: its fields, or the file as a whole."""
    of_form = tuple(_faults_of_form(found.path)) if found.is_damaged else ()
    whole = Finding("file", f"is no record: {found.reason}", "one that is whole")
    return Checked(found.path, of_form or (whole,))


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


def _faults_of_place(path: Path, home: str, homeless: str) -> Iterator[Finding]:
    """Yield a finding where a file does not lie where a results folder has this record.

    Args:
        path: the file.
        home: its place below a results folder.
        homeless: why it can have none.
    """
    if homeless:
        yield Finding("spec", f"has a name that is none of a folder ({homeless})", "made of names of folders")
        return
    found = "/".join(path.absolute().parts[-LEVELS - 1 :])
    if found != home:
        yield Finding("file", f"is at {found}", f"at {home}, as spec says")
