"""Keep what can be made again in JSON files that prove themselves whole: one that is not counts as absent."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from mmulbench.errors import MmulbenchError
from mmulbench.files import read_regular, write_atomically

MOST_BYTES = 1 << 28
"""Largest size of a file that is read."""


def read_checked(path: Path, version: int) -> Any:
    """Return what `write_checked` wrote; None where the file is missing, damaged or of another version.

    Args:
        path: the file.
        version: version of the form of the content.
    """
    try:
        checksum, _, body = read_regular(path, MOST_BYTES).partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            return None
        document = json.loads(body)
    except (OSError, ValueError, RecursionError):
        return None
    is_known = isinstance(document, dict) and document.get("format") == version
    return document.get("entries") if is_known else None


def write_checked(path: Path, version: int, entries: object) -> None:
    """Write a file at once and whole; nothing where that cannot be, as on a full disk.

    Args:
        path: the file; missing folders are made.
        version: version of the form of the content.
        entries: the content, of what JSON has.
    """
    document = {"format": version, "entries": entries}
    body = json.dumps(document, separators=(",", ":")).encode()
    with contextlib.suppress(MmulbenchError):
        write_atomically(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
