"""The results store: one JSON file per run.

It lies at ``<task>/<backbone>/<method>/<forget size>-<seed>-<run id>.json``.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import reason_of, write_atomically
from mmulbench.records.reading import first_fault
from mmulbench.records.schema import SCHEMA_VERSION, RunResult, RunSpec

RESULTS_FLAG = "--results-dir"

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}")


def folder_of_backbone(full_name: str) -> str:
    """Return the name of the folder of a backbone's records: ``albef:tiny`` becomes ``albef-tiny``."""
    return full_name.replace(":", "-").replace("/", "--")


@dataclass(frozen=True)
class Unreadable:
    """Describes a file under the store that is no valid record.

    Attributes:
        path: the file.
        reason: why it is none; one line.
    """

    path: Path
    reason: str


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
        for part in re.split("[:/]", spec.backbone):
            _check_name("backbone", part, spec.backbone)
        task = _check_name("task", spec.task, spec.task)
        method = _check_name("method", spec.method, spec.method)
        name = f"{spec.forget_size}-{spec.seed}-{spec.run_id}.json"
        return self._root / task / folder_of_backbone(spec.backbone) / method / name

    def find(self, spec: RunSpec) -> RunResult | None:
        """Return the record of a run; None where there is none.

        An invalid file counts as none, and is named through ``report``, so that the run is done again.

        Raises:
            UsageError: A name in ``spec`` cannot be a folder's name.
        """
        path = self.path(spec)
        found = self._load(path)
        if isinstance(found, Unreadable):
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

    def write_unless_worse(self, result: RunResult) -> RunResult | None:
        """Store a record, unless a better one of the same run is there, which is then returned.

        Raises:
            MmulbenchError: It cannot be written.
            UsageError: A name in its specification cannot be a folder's name.
        """
        kept = self.better_than(result)
        if kept is None:
            self.write(result)
        return kept

    def write(self, result: RunResult) -> Path:
        """Store a record at once and whole, replacing an earlier one of the same run that is no better.

        Returns:
            The file.

        Raises:
            MmulbenchError: It cannot be written.
            UsageError: A name in its specification cannot be a folder's name.
            ValueError: Its run id or schema version is not that of its specification, or a better record is
                there (`write_unless_worse` asks for that first): a bug in the caller.
        """
        if (problem := _inconsistency(result)) is not None:
            raise ValueError(problem)
        path = self.path(result.spec)
        if self.better_than(result) is not None:
            raise ValueError(f"{path} is done, and may not become {result.status}")
        write_atomically(path, result.model_dump_json(indent=1) + "\n", RESULTS_FLAG)
        return path

    def load_all(self, task: str | None = None) -> tuple[list[RunResult], list[Unreadable]]:
        """Return every record, and every ``.json`` file that is none, both in the order of their paths.

        Args:
            task: Only this task's; None for all.

        Raises:
            UsageError: ``task`` cannot be a folder's name.
        """
        folder = self._root if task is None else self._root / _check_name("task", task, task)
        paths = sorted(
            (path for path in folder.rglob("*.json") if not path.name.startswith(".")),
            key=lambda path: path.parts,
        )
        loaded = [self._load(path) for path in paths]
        results = [found for found in loaded if isinstance(found, RunResult)]
        return results, [found for found in loaded if isinstance(found, Unreadable)]

    def _load(self, path: Path) -> RunResult | Unreadable | None:
        """Return the record, unless it is a copy out of place, which would count one run twice."""
        found = _parse(path)
        if not isinstance(found, RunResult):
            return found
        try:
            home = self.path(found.spec)
        except UsageError as error:
            return Unreadable(path, str(error))
        return found if home == path else Unreadable(path, f"it is the record that belongs at {home}")


def read_record(path: Path) -> RunResult:
    """Read one record from any place.

    Raises:
        UsageError: There is no such file.
        MmulbenchError: It is no valid record; the message names the file and the reason.
    """
    found = _parse(path)
    if found is None:
        raise UsageError(f"there is no record {path}; check the path, or run it first")
    if isinstance(found, Unreadable):
        raise MmulbenchError(f"cannot read the record {path}: {found.reason}; delete it and run it again")
    return found


def _parse(path: Path) -> RunResult | Unreadable | None:
    """Return the record, or why it is none; None where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
        fields = json.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Unreadable(path, reason_of(error))
    except ValueError as error:
        return Unreadable(path, f"not valid JSON: {error}")
    if not isinstance(fields, dict):
        return Unreadable(path, "not a JSON object")
    # Before validation, whose complaints about a record of another version would hide the cause.
    if (version := fields.get("schema_version")) != SCHEMA_VERSION:
        return Unreadable(path, _other_version(version))
    try:
        result = RunResult.model_validate_json(text)
    except ValidationError as error:
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        return Unreadable(path, f"{first_fault(error)}{more}")
    problem = _inconsistency(result)
    return result if problem is None else Unreadable(path, problem)


def _inconsistency(result: RunResult) -> str | None:
    if result.schema_version != SCHEMA_VERSION:
        return _other_version(result.schema_version)
    if result.run_id != result.spec.run_id:
        return f"run_id {result.run_id} is not that of its specification, {result.spec.run_id}"
    return None


def _other_version(version: object) -> str:
    return f"schema_version is {version}, this mmulbench reads {SCHEMA_VERSION}"


def _check_name(field: str, part: str, whole: str) -> str:
    if _NAME.fullmatch(part) is None:
        raise UsageError(
            f"{field} {whole!r} cannot name a results folder; use at most 100 letters, digits, '_', '-', '.' "
            "and '+', starting with a letter, digit or '_'"
        )
    return part
