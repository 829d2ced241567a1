"""Folders in which entries of the cache are built: each maker has its own, and the first whole one counts.

``<key>.<host>-<pid>-<start>-<random>.tmp`` stands beside the entry ``<key>``. What a gone maker left is taken
up or cleared by the next; ``<key>.tmp`` was left on purpose, for anybody to take up. ``….old`` is an entry
that was just replaced.
"""

from __future__ import annotations

import contextlib
import errno
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mmulbench import leases
from mmulbench.cache import blockwise
from mmulbench.cache.blockwise import CACHE_FLAG
from mmulbench.files import disk_errors, sync_folder
from mmulbench.owners import Owner, this_host, this_owner

SILENT_SECONDS = 86_400.0
"""Time without a write after which another host's maker, whom no lease watches, counts as gone."""

_OWNED = re.compile(r"\.(?P<host>.+)-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]+\.(?:tmp|old)")
_HIDDEN = re.compile(r"\..+\.(?P<host>.+)-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}\.tmp")


def own(folder: Path, suffix: str = "tmp") -> Path:
    """Return a name beside an entry that nobody else takes.

    Args:
        folder: folder of the entry.
        suffix: ``tmp`` for what is to become the entry, ``old`` for what was it.
    """
    host, pid, start = this_owner()
    return folder.with_name(f"{folder.name}.{host}-{pid}-{start}-{secrets.token_hex(4)}.{suffix}")


def whole(folder: Path) -> list[Path]:
    """Return the folders beside an entry that may hold a whole one, the newest first."""
    found = []
    for path in folder.parent.glob(f"{folder.name}.*tmp"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]


@contextlib.contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Provide a folder of one's own to build an entry in.

    Finished blocks that another left are in it, to go on from. Those that this one leaves stay for the next;
    all else goes.

    Args:
        folder: folder of the entry; the caller holds the lease of the work.

    Raises:
        MmulbenchError: The folder cannot be made.
    """
    mine = own(folder)
    with disk_errors("write", mine, CACHE_FLAG):
        mine.mkdir(parents=True)
        for left in leftovers(folder, mine):
            if blockwise.has_work(left) and not any(mine.iterdir()):
                with contextlib.suppress(OSError):  # another was faster
                    left.rename(mine)
                    continue
            shutil.rmtree(left, ignore_errors=True)
    try:
        yield mine
    finally:
        if blockwise.has_work(mine):
            with contextlib.suppress(OSError):
                leave(mine, folder)
        else:
            shutil.rmtree(mine, ignore_errors=True)


def leave(built: Path, folder: Path) -> None:
    """Give what is half built a name that says that nobody builds there, in the place of what had it.

    Args:
        built: folder that holds finished blocks.
        folder: folder of the entry; the caller holds the lease of the work.

    Raises:
        OSError: The disk refuses.
    """
    left = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(left, ignore_errors=True)
    built.rename(left)


def leftovers(folder: Path, mine: Path | None = None) -> Iterator[Path]:
    """Yield the folders beside an entry whose makers are gone.

    Of another host's makers those are gone that wrote nothing for as long as a lease holds: they lost it.

    Args:
        folder: folder of the entry; the caller holds the lease of the work.
        mine: folder that was made just now, which tells the time by the disk's clock; without it no other
            host's makers count as gone.
    """
    now = mine.stat().st_mtime if mine is not None else 0.0
    for path in sorted(folder.parent.glob(f"{folder.name}.*")):
        found = _OWNED.fullmatch(path.name.removeprefix(folder.name))
        if found is None:
            if path.suffix == ".tmp":
                yield path
            continue
        owner = Owner(found["host"], int(found["pid"]), int(found["start"]))
        if owner.is_gone() or (
            owner.host != this_owner().host and now - _written(path) > leases.LEASE_SECONDS
        ):
            yield path


def clear_hidden(parent: Path) -> None:
    """Remove the hidden folders of gone makers, whatever was to come of them.

    No lease watches over them. So of another host's makers those count as gone that wrote nothing for
    `SILENT_SECONDS`.

    Args:
        parent: folder that they stand in.
    """
    for path in sorted(parent.glob(".*.tmp")):
        found = _HIDDEN.fullmatch(path.name)
        if found is None or path.is_symlink() or not path.is_dir():
            continue
        host, process = found["host"], (int(found["pid"]), int(found["start"]))
        if f".{host}".endswith(f".{this_host()}"):  # what is made, and hosts, may have dots in their names
            is_gone = Owner(this_host(), *process).is_gone()
        else:
            is_gone = time.time() - _written(path) > SILENT_SECONDS
        if is_gone:
            shutil.rmtree(path, ignore_errors=True)


def _written(folder: Path) -> float:
    """Return when something was last written to a folder."""
    times = [0.0]
    with contextlib.suppress(OSError):  # another has removed it meanwhile
        times.append(folder.stat().st_mtime)
        times += [path.stat().st_mtime for path in folder.iterdir()]
    return max(times)


def clear(folder: Path) -> None:
    """Remove an entry, and what gone makers left beside it.

    Args:
        folder: folder of the entry; the caller holds the lease of the work.
    """
    for path in (folder, *leftovers(folder)):
        shutil.rmtree(path, ignore_errors=True)


def place(built: Path, folder: Path, is_good: Callable[[], bool]) -> None:
    """Make a whole folder the entry, unless a good one is there already: then that one stays.

    Args:
        built: the folder, which is gone afterwards.
        folder: folder of the entry.
        is_good: tells whether the entry that is there may stay.

    Raises:
        OSError: The disk refuses.
    """
    old = None
    while True:
        try:
            built.rename(folder)
            break
        except OSError as error:
            # An entry that stood in the way may be gone already: its replacer moves it aside first.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not folder.exists():
                raise
        if is_good():
            shutil.rmtree(built)
            break
        old = own(folder, "old")
        with contextlib.suppress(FileNotFoundError):
            folder.rename(old)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    sync_folder(folder.parent)
