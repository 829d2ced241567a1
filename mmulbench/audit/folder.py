"""Write the audit into a folder of its own, whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mmulbench.audit.page import GENERATOR
from mmulbench.errors import UsageError
from mmulbench.files import disk_errors, write_atomically

PAGE = "index.html"
FLAG = "--output"

BEGINNING = 400
"""Bytes of a file in which the mark of this program must stand."""


def refuse_filled(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that holds something, unless that is a report which may be replaced.

    Args:
        folder: the folder; it need not be there.
        replace: whether an earlier report may be replaced.

    Raises:
        UsageError: It holds something else, or a report that may not be replaced, or is a file.
        MmulbenchError: It cannot be looked at.
    """
    with disk_errors("look at", folder, FLAG):
        if not folder.exists() and not folder.is_symlink():
            return
        if not folder.is_dir():
            raise UsageError(f"{FLAG} {folder} is no folder: name one that is new or empty")
        names = sorted(entry.name for entry in folder.iterdir())
        if not names:
            return
        if names != [PAGE] or not _is_report(folder / PAGE):
            other = next((name for name in names if name != PAGE), PAGE)
            raise UsageError(
                f"{FLAG} {folder} holds more than a report, such as {other}: name a new or empty folder"
            )
    if not replace:
        raise UsageError(f"{FLAG} {folder} holds a report: --replace writes over it, or name another folder")


def write_report(folder: Path, page: str) -> Path:
    """Write a page into a folder.

    Args:
        folder: the folder, made where it is not there.
        page: the page.

    Returns:
        The file.

    Raises:
        MmulbenchError: It cannot be written; nothing new is left.
    """
    is_new = not folder.exists()
    try:
        write_atomically(folder / PAGE, page, FLAG)
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    return folder / PAGE


def _is_report(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR.encode() in file.read(BEGINNING)
