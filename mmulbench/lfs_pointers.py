"""Git LFS pointers: small texts in place of files that were cloned but not fetched."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mmulbench.errors import MmulbenchError

LFS_BYTES = 1024
"""Number of bytes that every Git LFS pointer is smaller than, by its specification."""

LFS_PULL = "a Git LFS pointer, which stands for the file itself: run git lfs pull"
"""What messages say of a pointer."""

_START = b"version https://git-lfs.github.com/spec/"


def is_lfs_pointer(content: bytes) -> bool:
    """Tell whether a content, or the start of one, is what Git LFS puts in place of a file not fetched."""
    return content.startswith(_START)


def refuse_lfs_pointer(path: Path) -> None:
    """Refuse a file that Git LFS has put in place of the one that is meant.

    A file that cannot be read is left to whoever reads it.

    Raises:
        MmulbenchError: It is a pointer.
    """
    start = b""
    with contextlib.suppress(OSError), path.open("rb") as file:
        start = file.read(LFS_BYTES)
    if is_lfs_pointer(start):
        raise MmulbenchError(f"{path} is {LFS_PULL}")
