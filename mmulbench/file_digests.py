"""Name files by their content: SHA-256 digests, taken again only of files that may have changed.

A hint says which digests were found while files had certain stamps. Hints lie in small files of the folder
that `hints_in` names, and may be lost at any time: what they would have said is hashed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path, PurePath
from typing import NamedTuple

from mmulbench.checked_json import read_checked, write_checked
from mmulbench.errors import MmulbenchError
from mmulbench.files import reason_of, sha256_of
from mmulbench.progress import Track

TICK = 2 * 10**9
"""Nanoseconds between two ticks of the slowest clock that a file system may have, which is FAT's. What is
changed twice within a tick may keep its stamp."""

FORMAT = 1
"""Version of a file of hints; those of other versions are not read."""

CHUNK = 64
"""Number of files that a thread hashes in one go."""

WORKERS = min(8, os.cpu_count() or 1)
"""Number of threads that hash: reading and hashing let go of Python's lock."""

_FOLDER: ContextVar[Path | None] = ContextVar("folder of hints", default=None)


class ContentChanged(MmulbenchError):
    """Tells that a content is not the one whose digest was taken."""


@contextlib.contextmanager
def hints_in(folder: Path) -> Iterator[None]:
    """Keep the hints that the body takes in a folder, which is made when there are any."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


class Stamp(NamedTuple):
    """Holds what a file system says of a version of a file; other content may have the same stamp.

    Attributes:
        size: number of bytes.
        modified: time when the content was last changed, in nanoseconds; programs can set it at will.
        changed: time when content or attributes were last changed, in nanoseconds.
        inode: number of the file in its file system.
    """

    size: int
    modified: int
    changed: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """Return the stamp of a file that was looked at."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def is_settled(self, now: int) -> bool:
        """Tell whether a change at ``now`` or later gives another stamp, so that this may stand for content.

        Args:
            now: time in nanoseconds since 1970.
        """
        return max(self.modified, self.changed) + TICK < now


_Entry = tuple[list[list[int]], list[str]]
"""Stamps and digests, as JSON has them: tens of thousands need not be made into anything else."""


class Hints:
    """Knows digests that were taken before, of files whose stamps are the same and were settled at that time.

    Args:
        place: what the hints are about, which has a file of its own: a path on disk, or another name.
    """

    def __init__(self, place: PurePath) -> None:
        folder = _FOLDER.get()
        name = os.fsencode(place.absolute() if isinstance(place, Path) else place)
        self._path = None if folder is None else folder / f"{hashlib.sha256(name).hexdigest()[:16]}.json"
        self._known: dict[str, _Entry] = {} if self._path is None else read_checked(self._path, FORMAT) or {}
        self._new: dict[str, _Entry] = {}

    def find(self, key: str, stamps: Sequence[Stamp]) -> list[str] | None:
        """Return the digests that are known for a key; None where there are none for these stamps.

        Args:
            key: what the digests are of, such as the path of a file.
            stamps: stamps of the files that the digests depend on, as they are now.
        """
        known = self._known.get(key)
        return known[1] if known is not None and known[0] == [list(stamp) for stamp in stamps] else None

    def note(self, key: str, stamps: Sequence[Stamp], digests: Sequence[str], begun: int) -> None:
        """Note digests for the next command, unless the files were changed a moment ago.

        Args:
            key: what the digests are of.
            stamps: stamps of the files that the digests depend on, taken before they were read.
            digests: the digests; empty for what has no content.
            begun: time when reading began, in nanoseconds since 1970.
        """
        if stamps and all(stamp.is_settled(begun) for stamp in stamps):
            self._new[key] = [list(stamp) for stamp in stamps], list(digests)

    def save(self) -> None:
        """Write what was noted; what cannot be written is hashed again next time."""
        if self._path is None or not self._new:
            return
        self._known |= self._new
        self._new = {}
        write_checked(self._path, FORMAT, self._known)

    def forget(self) -> None:
        """Remove all hints of this name, since one of them was wrong."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()


def check_content(content: bytes, digest: str, where: str) -> None:
    """Demand that a content has the digest that was taken of it before.

    Args:
        content: the content, as it was read now.
        digest: its SHA-256 as 64 hexadecimal digits.
        where: place of the content, for the message.

    Raises:
        ContentChanged: It has another.
    """
    if hashlib.sha256(content).hexdigest() != digest:
        raise ContentChanged(f"{where}: it has changed since the data was opened: give the command again")


def digests_of(files: Mapping[str, tuple[Path, Stamp]], hints: Hints, track: Track) -> dict[str, str]:
    """Return the SHA-256 of files, from hints where these are to be believed.

    Args:
        files: path and present stamp of each file, by the name that its hint has.
        hints: where digests are looked up and noted.
        track: shows a bar while files are hashed.

    Returns:
        64 hexadecimal digits by name, in the order of the files.

    Raises:
        MmulbenchError: A file cannot be read.
    """
    known = {name: hints.find(name, [stamp]) for name, (_, stamp) in files.items()}
    missing = [name for name, found in known.items() if found is None]
    begun = time.time_ns()
    taken = _hashed([files[name][0] for name in missing])
    for name, digest in track(zip(missing, taken, strict=True), len(missing), "hash files"):
        known[name] = [digest]
        hints.note(name, [files[name][1]], [digest], begun)
    hints.save()
    return {name: found[0] for name, found in known.items() if found is not None}


def _hashed(paths: Sequence[Path]) -> Iterator[str]:
    """Yield the digests of files in their order, taken by several threads."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        chunks = (paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK))
        for digests in pool.map(_digests, chunks):
            yield from digests
    finally:
        pool.shutdown(cancel_futures=True)


def _digests(paths: Sequence[Path]) -> list[str]:
    """Hash files, one after the other.

    Raises:
        MmulbenchError: One cannot be read.
    """
    found = []
    for path in paths:
        try:
            found.append(sha256_of(path))
        except OSError as error:
            raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error
    return found
