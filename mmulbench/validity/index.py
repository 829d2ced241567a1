"""Remember of each record what was read and judged, so that one that has not changed is neither again.

What is remembered belongs to the content of a file: its SHA-256, which is taken again of every file that may
have changed (`mmulbench.file_digests`). It counts only for the same version of the schema and the same code.
It lies in one file for each results folder, which may be lost at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from mmulbench.checked_json import read_checked, write_checked
from mmulbench.core.judging_code import judging_code
from mmulbench.core.reproduce import digest_of_plugin
from mmulbench.file_digests import ContentChanged, Hints, Stamp, check_content, hints_in
from mmulbench.files import read_regular, reason_of
from mmulbench.many_objects import uncollected
from mmulbench.progress import Track
from mmulbench.records.record_files import Unreadable, read_file, record_in
from mmulbench.records.schema import SCHEMA_VERSION, RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import LARGEST, digest_of, unit_file
from mmulbench.validity.findings import Finding
from mmulbench.validity.known import NOTHING, SHARED, Known, findings_in, judge, names_there_twice, text_of
from mmulbench.validity.unit_content import check_absence
from mmulbench.validity.unit_content import check_content as check_units_file

FORMAT = 1
"""Version of the file; raised when `Known` changes."""

MANY = 1000
"""Records that take a second to read."""

BATCH_BYTES = 1 << 20
"""Content of files that is read before it is judged: a step costs a quarter less where many follow."""

MOST_FRESH = 8000
"""Most records that are kept while others are read: 200 MiB of slim ones."""


class Entry(NamedTuple):
    """Holds a file of a record.

    Attributes:
        path: the file.
        digest: SHA-256 of its content, 64 hexadecimal digits.
        known: what its content says.
    """

    path: Path
    digest: str
    known: Known


class _Unknown(NamedTuple):
    """Holds a file whose content was not judged yet.

    Attributes:
        path: the file.
        digest: SHA-256 of its content.
        content: its content.
    """

    path: Path
    digest: str
    content: bytes


_Seen = Entry | Unreadable | _Unknown | None


class RecordIndex:
    """Looks at the files of a results folder, and reads and judges those that it does not remember.

    Args:
        root: the results folder.
        folder: folder of the cache where it is remembered; None for nowhere.
        keep: makes of a record that was read now what is kept of it, so that it need not be read again; None
            to keep none.

    Attributes:
        code: digest of the code that judges; None where nothing is remembered.
        fresh: by digest what was kept of records, at most `MOST_FRESH`.
    """

    def __init__(
        self, root: Path, folder: Path | None = None, keep: Callable[[RunResult], RunResult] | None = None
    ) -> None:
        self.fresh: dict[str, RunResult] = {}
        self._root = root
        self._keep = keep
        self.code = None if folder is None else judging_code()
        self._place = None if folder is None or self.code is None else folder / f"{_name_of(root)}.json"
        self._rows = {} if self._place is None else _read(self._place, self.code)
        self._seen: set[str] = set()
        self._is_new = False
        self._besides: dict[str, bool] = {}
        with nullcontext() if self._place is None else hints_in(self._place.parent / "digests"):
            self._hints = Hints(root)

    def entries(self, task: str | None = None, track: Track | None = None) -> list[Entry | Unreadable]:
        """Return what the folder holds, in the order of the paths; what is no record has its reason.

        Nothing is said of whether a record holds together or is at its place.

        Args:
            task: only this task's; None for all.
            track: shows how far it is where there are many; None for nothing.

        Raises:
            UsageError: The task cannot be a folder's name.
        """
        with uncollected():
            files = list(ResultsStore(self._root).files(task))
            shown = files if track is None or len(files) < MANY else track(files, len(files), "read records")
            found = [one for batch in self._batches(shown) for one in self._judged(batch) if one is not None]
        self.save(is_whole=task is None)
        return found

    def _batches(self, files: Iterable[Path | Unreadable]) -> Iterator[list[_Seen]]:
        """Yield what the files hold in batches of at most about `BATCH_BYTES` that are to be judged."""
        batch, size = list[_Seen](), 0
        for path in files:
            batch.append(seen := self._see(path))
            size += len(seen.content) if isinstance(seen, _Unknown) else 0
            if size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        yield batch

    def look(self, path: Path | Unreadable) -> Entry | Unreadable | None:
        """Return what a file holds; None where it is gone.

        Args:
            path: the file; what is none stays what it is.
        """
        (found,) = self._judged([self._see(path)])
        return found

    def _see(self, path: Path | Unreadable) -> _Seen:
        """Return what a file holds as far as that is remembered; else its content."""
        if isinstance(path, Unreadable):
            return path
        begun = time.time_ns()
        stamp = _stamp(path)
        if stamp is None:
            return _unread(path)
        hint = self._hints.find(str(path), [stamp])
        known = None if hint is None else self._known(hint[0])
        if hint is not None and known is not None:
            return Entry(path, hint[0], known)
        try:
            content = read_regular(path)
        except OSError:
            return _unread(path)
        digest = hashlib.sha256(content).hexdigest()
        if hint != [digest]:
            self._hints.note(str(path), [stamp], [digest], begun)
        known = self._known(digest)
        return _Unknown(path, digest, content) if known is None else Entry(path, digest, known)

    def _judged(self, batch: Sequence[_Seen]) -> list[Entry | Unreadable | None]:
        """Read and judge what is not known of a batch: each step for all files before the next."""
        unknown = [one for one in batch if isinstance(one, _Unknown)]
        read = {one.path: record_in(one.path, one.content) for one in unknown}
        records = {
            one.digest: record for one in unknown if not isinstance(record := read[one.path], Unreadable)
        }
        known = {digest: self._judge(digest, record) for digest, record in records.items()}
        if self._keep is not None:
            for digest, record in islice(records.items(), MOST_FRESH - len(self.fresh)):
                self.fresh[digest] = self._keep(record)
        found = list[Entry | Unreadable | None]()
        for one in batch:
            if not isinstance(one, _Unknown):
                found.append(one)
            elif isinstance(record := read[one.path], Unreadable):
                found.append(record)
            else:
                found.append(Entry(one.path, one.digest, known[one.digest]))
        return found

    def twice(self, entry: Entry) -> list[str]:
        """Return the names that an object of a file has twice, in the order in which they are met.

        Args:
            entry: the file.

        Raises:
            ContentChanged: It is another now, or gone.
        """
        text = self._rows[entry.digest].twice
        if text is None:
            found = names_there_twice(content_of(entry))
            self._rows[entry.digest] = self._rows[entry.digest]._replace(twice=json.dumps(found))
            self._is_new = True
            return found
        return list(json.loads(text))

    def of_units(self, entry: Entry) -> Iterable[Finding]:
        """Return what is wrong with the file of scores by unit beside a record, or cannot be checked of it.

        Args:
            entry: the file of the record.

        Raises:
            ContentChanged: It is another now, or gone.
        """
        known = self._rows[entry.digest]
        if not known.units:
            return tuple(check_absence(entry.path))
        path = unit_file(entry.path)
        try:
            digest = self._digest(path)
            if digest != known.units:
                return (Finding("units", f"is not the digest of {path.name}", digest),)
            if known.of_units is None:
                content, record = (
                    read_regular(path, LARGEST),
                    RunResult.model_validate_json(content_of(entry)),
                )
                check_content(content, digest, str(path))
                known = known._replace(of_units=text_of(check_units_file(record, content, entry.path)))
                self._rows[entry.digest] = known
                self._is_new = True
        except FileNotFoundError:
            return (Finding("units", f"{path.name} is gone"),)
        except OSError as error:
            return (Finding("units", f"{path.name}: {reason_of(error)}"),)
        return findings_in(known.of_units)

    def _digest(self, path: Path) -> str:
        """Return the SHA-256 of a file of scores, taken again where it may have changed.

        Raises:
            OSError: It cannot be read.
        """
        begun, stamp = time.time_ns(), _stamp(path)
        hint = None if stamp is None else self._hints.find(str(path), [stamp])
        if hint is not None:
            return hint[0]
        digest = digest_of(read_regular(path, LARGEST))
        if stamp is not None:
            self._hints.note(str(path), [stamp], [digest], begun)
        return digest

    def _known(self, digest: str) -> Known | None:
        """Return what is remembered of a content, unless it rests on a file that is another today."""
        known = self._rows.get(digest)
        if known is None or (known.besides != NOTHING and not self._are_as_they_were(known.besides)):
            return None
        self._seen.add(digest)
        return known

    def _are_as_they_were(self, besides: str) -> bool:
        if besides not in self._besides:
            digests = json.loads(besides)
            self._besides[besides] = all(digest_of_plugin(path) == one for path, one in digests.items())
        return self._besides[besides]

    def _judge(self, digest: str, record: RunResult) -> Known:
        known = judge(record)
        self._rows[digest] = known
        self._seen.add(digest)
        self._is_new = True
        return known

    def save(self, *, is_whole: bool = False) -> None:
        """Write what is new, for the next command.

        Args:
            is_whole: whether all files of the folder were looked at, so that the rest belongs to none.
        """
        self._hints.save()
        if is_whole and len(self._seen) < len(self._rows):
            self._rows = {digest: known for digest, known in self._rows.items() if digest in self._seen}
            self._is_new = True
        if self._place is None or not self._is_new or judging_code() != self.code:
            return  # what was judged while the code was changed is by neither
        self._is_new = False
        _write(self._place, self.code, self._rows)


def content_of(entry: Entry) -> bytes:
    """Read a file again.

    Args:
        entry: the file.

    Raises:
        ContentChanged: It is another now, or gone.
    """
    try:
        content = read_regular(entry.path)
    except OSError as error:
        raise ContentChanged(f"{entry.path}: {reason_of(error)}: give the command again") from error
    check_content(content, entry.digest, str(entry.path))
    return content


def _name_of(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]


def _stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file; None of what is no regular one, or cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116 - of tens of thousands
    except OSError:
        return None
    return Stamp.of(found) if stat.S_ISREG(found.st_mode) else None


def _unread(path: Path) -> Entry | Unreadable | None:
    """Say why a file cannot be read; None where it is gone."""
    found = read_file(path)
    return Unreadable(path, "it has changed while it was read") if isinstance(found, RunResult) else found


def _read(place: Path, code: str | None) -> dict[str, Known]:
    """Read what is remembered; nothing where that was judged by other code."""
    entries = read_checked(place, FORMAT)
    if entries is None or entries["code"] != code or entries["schema"] != SCHEMA_VERSION:
        return {}
    texts = entries["texts"]
    rows = {}
    for digest, row in entries["rows"].items():
        for field in SHARED:
            row[field] = texts[row[field]]
        rows[digest] = Known(*row)
    return rows


def _write(place: Path, code: str | None, rows: Mapping[str, Known]) -> None:
    """Write what is to be remembered, texts that records have in common once."""
    texts: dict[str, int] = {}
    found = {}
    for digest, known in rows.items():
        row: list[Any] = list(known)
        for field in SHARED:
            row[field] = texts.setdefault(row[field], len(texts))
        found[digest] = row
    write_checked(
        place, FORMAT, {"code": code, "schema": SCHEMA_VERSION, "texts": list(texts), "rows": found}
    )
