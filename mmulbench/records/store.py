"""The results store: one JSON file per run, and perhaps one of its scores by unit.

It lies at ``<task>/<backbone>/<method>/<forget size>-<seed>-<run id>.json``, the scores beside it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import disk_errors, prepare_folder, write_atomically
from mmulbench.many_objects import uncollected
from mmulbench.records.record_files import Unreadable, find_files, inconsistency, read_file
from mmulbench.records.schema import RunResult, RunSpec
from mmulbench.records.unit_files import digest_of, unit_file

RESULTS_FLAG = "--results-dir"

UNCHECKED = "retrain's initial weights were not checked for the forget set: run it again"
"""Why a record of a checkpoint is left out that does not say what the checkpoint knew."""

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}")


def folder_of_backbone(full_name: str) -> str:
    """Return the name of the folder of a backbone's records: ``albef:tiny`` becomes ``albef-tiny``."""
    return full_name.replace(":", "-").replace("/", "--")


class ResultsStore:
    """Reads and writes the records under one folder.

    Args:
        root: The results folder; made by the first `write`.
        report: Receives one line when `find` meets a file it cannot use.
    """

    def __init__(self, root: Path, report: Callable[[str], None] = _LOG.warning) -> None:
        self._root = root
        self._report = report

    def path(self, spec: RunSpec) -> Path:
        """Return the file of a run's record.

        Raises:
            UsageError: A name in ``spec`` cannot be a folder's name.
        """
        return self._place(spec, spec.run_id)

    def path_of(self, result: RunResult) -> Path:
        """Return the file of a record, whose run id is taken for that of its specification.

        To compute the id anew takes longer than all else that a table does with a record.

        Args:
            result: A record that was read or made, not one that was changed since.

        Raises:
            UsageError: A name in its specification cannot be a folder's name.
        """
        return self._place(result.spec, result.run_id)

    def _place(self, spec: RunSpec, run_id: str) -> Path:
        for part in re.split("[:/]", spec.backbone):
            _check_name("backbone", part, spec.backbone)
        task = _check_name("task", spec.task, spec.task)
        method = _check_name("method", folder_of_method(spec.method), spec.method)
        name = f"{spec.forget_size}-{spec.seed}-{run_id}.json"
        return Path(self._root, task, folder_of_backbone(spec.backbone), method, name)

    def find(self, spec: RunSpec) -> RunResult | None:
        """Return the record of a run; None where there is none.

        A damaged file counts as none, and is named through ``report``, so that the run is done again.

        Raises:
            UsageError: A name in ``spec`` cannot be a folder's name.
            MmulbenchError: The file cannot be read, or is of another version: it may be a good record.
        """
        path = self.path(spec)
        found = self._load(path)
        if isinstance(found, Unreadable):
            _demand_damaged(found)
            self._report(f"record {path} cannot be used ({found.reason}): taken as absent")
            return None
        return found

    def better_than(self, result: RunResult) -> RunResult | None:
        """Return the stored record that a result of the same run may not replace; None where it may.

        A done record is worth more than one of any other status, whatever made them: the numbers cost hours.

        Raises:
            UsageError: A name in its specification cannot be a folder's name.
        """
        found = None if result.status == "done" else self._load(self.path(result.spec))
        return found if isinstance(found, RunResult) and found.status == "done" else None

    def write_unless_worse(self, result: RunResult, units: bytes | None = None) -> RunResult | None:
        """Store a record, unless a better one of the same run is there, which is then returned.

        Args:
            result: The record.
            units: As for `write`.

        Raises:
            MmulbenchError: It cannot be written.
            UsageError: A name in its specification cannot be a folder's name.
        """
        kept = self.better_than(result)
        if kept is None:
            self.write(result, units)
        return kept

    def write(self, result: RunResult, units: bytes | None = None) -> Path:
        """Store a record at once and whole, replacing an earlier one of the same run that is no better.

        The file of scores by unit is replaced with it, and removed where the record names none.

        Args:
            result: The record.
            units: Content of that file; None where there is none, or the one that the record names is there.

        Returns:
            The file.

        Raises:
            MmulbenchError: It cannot be written.
            UsageError: A name in its specification cannot be a folder's name.
            ValueError: Its run id or schema version is not that of its specification, it does not name the
                scores by unit, or a better record is there (`write_unless_worse` asks for that first): a bug
                in the caller.
        """
        if (problem := inconsistency(result)) is not None:
            raise ValueError(problem)
        path = self.path(result.spec)
        if self.better_than(result) is not None:
            raise ValueError(f"{path} is done, and may not become {result.status}")
        if units is not None and digest_of(units) != result.units:
            raise ValueError(f"{path} does not name its scores by unit")
        self._put_aside(path)
        # First the scores: a record that is there has them.
        if units is not None:
            write_atomically(unit_file(path), units, RESULTS_FLAG)
        write_atomically(path, text_of(result), RESULTS_FLAG)
        if result.units is None:
            with disk_errors("remove", unit_file(path), RESULTS_FLAG):
                unit_file(path).unlink(missing_ok=True)
        return path

    def demand_place(self, spec: RunSpec) -> None:
        """Make sure that the record of a run can be written, before hours are spent on it.

        Raises:
            MmulbenchError: Its folder cannot be made or written to, or its name is too long for the disk.
            UsageError: A name in ``spec`` cannot be a folder's name.
        """
        path = self.path(spec)
        prepare_folder(path.parent, "results", RESULTS_FLAG)
        with disk_errors("write", path, RESULTS_FLAG), contextlib.suppress(FileNotFoundError):
            path.stat()

    def load_all(self, task: str | None = None) -> tuple[list[RunResult], list[Unreadable]]:
        """Return every record, and what is none, both in the order of their paths.

        What is none are ``.json`` files without a valid record, folders that cannot be searched, links that
        lead nowhere, and records whose reference may have seen the forget set.

        Args:
            task: Only this task's; None for all.

        Raises:
            UsageError: ``task`` cannot be a folder's name.
        """
        with uncollected():
            loaded = list(self.each(task))
        results = [found for found in loaded if isinstance(found, RunResult)]
        return results, [found for found in loaded if isinstance(found, Unreadable)]

    def each(self, task: str | None = None) -> Iterator[RunResult | Unreadable]:
        """Read one file after the other: every record, and what is none, in the order of their paths.

        Args:
            task: Only this task's; None for all.

        Raises:
            UsageError: ``task`` cannot be a folder's name.
        """
        for entry in self.files(task):
            found = entry if isinstance(entry, Unreadable) else self._load_comparable(entry)
            if found is not None:
                yield found

    def files(self, task: str | None = None) -> Iterator[Path | Unreadable]:
        """Yield the files that may be records, and what cannot be searched, in the order of their paths.

        Args:
            task: Only this task's; None for all.

        Raises:
            UsageError: ``task`` cannot be a folder's name.
        """
        return find_files(self._root if task is None else self._root / _check_name("task", task, task))

    def _put_aside(self, path: Path) -> None:
        """Give a damaged file another name, since something may be left in it.

        Raises:
            MmulbenchError: It cannot be read, is of another version, or cannot be moved.
        """
        found = self._load(path)
        if not isinstance(found, Unreadable):
            return
        _demand_damaged(found)
        names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in itertools.count())
        place = next(name for name in names if not name.exists())
        with disk_errors("move", path, RESULTS_FLAG):
            path.replace(place)
        self._report(f"the damaged file is kept as {place}")

    def _load_comparable(self, path: Path) -> RunResult | Unreadable | None:
        """Return the record, unless nothing may be said by its reference."""
        found = self._load(path)
        if isinstance(found, RunResult) and found.has_unchecked_reference:
            return Unreadable(path, UNCHECKED, is_damaged=False)
        return found

    def _load(self, path: Path) -> RunResult | Unreadable | None:
        """Return the record, unless it is a copy out of place, which would count one run twice."""
        found = read_file(path)
        if not isinstance(found, RunResult):
            return found
        try:
            home = self.path_of(found)
        except UsageError as error:
            return Unreadable(path, str(error))
        return found if home == path else Unreadable(path, f"it is the record that belongs at {home}")


def folder_of_method(method: str) -> str:
    """Return the name of a method's folder; of one whose models were made elsewhere, without the colon."""
    return method.replace(":", "-")


def read_record(path: Path) -> RunResult:
    """Read one record from any place.

    Raises:
        UsageError: There is no such file.
        MmulbenchError: It is no valid record; the message names the file and the reason.
    """
    found = read_file(path)
    if found is None:
        raise UsageError(f"there is no record {path}; check the path, or run it first")
    if isinstance(found, Unreadable):
        advice = "; delete it and run it again" if found.is_damaged else ""
        raise MmulbenchError(f"cannot read the record {path}: {found.reason}{advice}")
    return found


def rewrite(path: Path, record: RunResult) -> None:
    """Replace the file of a record by the same record with more in it, whole or not at all.

    Args:
        path: file of the record, wherever it lies.
        record: the record.

    Raises:
        MmulbenchError: It cannot be written.
    """
    write_atomically(path, text_of(record))


def text_of(record: RunResult) -> str:
    """Return a record as its file has it."""
    return record.model_dump_json(indent=1) + "\n"


def folder_of_store(path: Path, record: RunResult) -> Path | None:
    """Return the folder of results that a record's file lies in; None where it lies elsewhere.

    Args:
        path: file of the record.
        record: the record.
    """
    place = path.resolve()
    if len(place.parents) < 4:
        return None
    root = place.parents[3]
    return root if ResultsStore(root).path_of(record) == place else None


def _demand_damaged(found: Unreadable) -> None:
    """Demand that a new record may take the place of a file.

    Raises:
        MmulbenchError: The file may be a good record for another user or another version of mmulbench.
    """
    if not found.is_damaged:
        raise MmulbenchError(
            f"record {found.path} cannot be used ({found.reason}) and is not overwritten: move it away, or "
            f"choose another folder with {RESULTS_FLAG}"
        )


def _check_name(field: str, part: str, whole: str) -> str:
    if _NAME.fullmatch(part) is None:
        raise UsageError(
            f"{field} {whole!r} cannot name a results folder; use at most 100 letters, digits, '_', '-', '.' "
            "and '+', starting with a letter, digit or '_'"
        )
    return part
