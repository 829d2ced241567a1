"""Write the site into a folder of its own, whole or not at all, and compare it with what lies there."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from mmulbench.errors import UsageError
from mmulbench.files import disk_errors
from mmulbench.owners import Owner, this_owner
from mmulbench.site.skeleton import GENERATOR, INDEX, RUNS

FLAG = "--output"

BEGINNING = 400
"""Bytes of a file in which the mark of this program must stand."""

_OWNED = re.compile(r"\.tmp-(?P<host>.+)-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{16}")

Pages = Iterable[tuple[str, str]]
"""Pages by their addresses below the folder."""


def refuse_others(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that holds something, unless that is a site which may be replaced.

    Args:
        folder: the folder; it need not be there.
        replace: whether an earlier site may be replaced.

    Raises:
        UsageError: It holds something else, or a site that may not be replaced, or is a file or a link.
        MmulbenchError: It cannot be looked at.
    """
    with disk_errors("look at", folder, FLAG):
        if not folder.exists() and not folder.is_symlink():
            return
        if folder.is_symlink() or not folder.is_dir():
            raise UsageError(f"{FLAG} {folder} is no folder: name one that is new or empty")
        if not any(folder.iterdir()):
            return
        if (other := next(_others(folder), None)) is not None:
            raise UsageError(
                f"{FLAG} {folder} holds more than a site, such as {other}: name a new or empty folder"
            )
    if not replace:
        raise UsageError(f"{FLAG} {folder} holds a site: --replace writes over it, or name another folder")


def write_site(folder: Path, pages: Pages) -> Path:
    """Write pages beside those of an earlier site, and put them in their place when all are there.

    Args:
        folder: the folder, which `refuse_others` has let pass; made where it is not there.
        pages: the pages.

    Returns:
        The first page.

    Raises:
        MmulbenchError: It cannot be written; what was there before is there still.
    """
    is_new = not folder.exists()
    host, pid, start = this_owner()
    new, old = (folder / f".tmp-{host}-{pid}-{start}-{secrets.token_hex(8)}" for _ in range(2))
    try:
        with disk_errors("write", folder, FLAG):
            _remove(*([] if is_new else _left_over(folder)))
            for one in (new, new / RUNS, old):
                one.mkdir(parents=True)
            for address, text in pages:
                (new / address).write_bytes(text.encode())
            _swap(folder, new, old)
    except BaseException:
        _remove(new, old)
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    _remove(new, old)
    return folder / INDEX


def differing(folder: Path, pages: Pages) -> list[str]:
    """Return the addresses of what differs between a folder and pages: other, missing and further files.

    Args:
        folder: the folder.
        pages: the pages that it should hold.

    Raises:
        MmulbenchError: A file cannot be read.
    """
    with disk_errors("read", folder, FLAG):
        there = {path.relative_to(folder).as_posix() for path in _files(folder)}
        found = []
        for address, text in pages:
            if address not in there or (folder / address).read_bytes() != text.encode():
                found.append(address)
            there.discard(address)
        return [*found, *sorted(there)]


def _swap(folder: Path, new: Path, old: Path) -> None:
    """Put new pages in the place of old ones, the first page last; if that fails, the old ones go back."""
    moved: list[tuple[Path, Path]] = []
    try:
        for name in (RUNS, INDEX):
            for source, goal in ((folder, old), (new, folder)):
                if (source / name).exists():
                    (source / name).rename(goal / name)
                    moved.append((source / name, goal / name))
    except BaseException:
        for before, after in reversed(moved):
            after.rename(before)
        raise


def _remove(*folders: Path) -> None:
    for one in folders:
        shutil.rmtree(one, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _others(folder: Path) -> Iterator[str]:
    """Yield what is no part of a site, nor left over from one, as seen from the folder."""
    left = _left_over(folder)
    for path in sorted(folder.rglob("*")):
        if any(one in (path, *path.parents) for one in left):
            continue
        address = path.relative_to(folder).as_posix()
        is_known = _is_page(path) if path.suffix == ".html" else address == RUNS and not path.is_symlink()
        if not is_known or address not in (INDEX, RUNS, f"{RUNS}/{path.name}"):
            yield address
    if not left and not (folder / INDEX).is_file():
        yield next(path.name for path in sorted(folder.iterdir()))


def _left_over(folder: Path) -> list[Path]:
    """Return the folders in which a process wrote that was killed."""
    return [
        path
        for path in folder.iterdir()
        if (found := _OWNED.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()
        if Owner(found["host"], int(found["pid"]), int(found["start"])).is_gone()
    ]


def _is_page(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR.encode() in file.read(BEGINNING)
