"""Files that are either whole or absent, folders proven writable, checksums; disk errors in one line."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from mmulbench.errors import MmulbenchError

_CHUNK_BYTES = 1 << 20
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

LARGEST_TEXT = 32 << 20
"""Most bytes of a file of JSON that is read whole; to check it takes up to a hundred times as much memory."""

_STREAMS = ("/dev/stdout", "/dev/stderr", "/dev/fd", "/proc")
"""Names of what a process has open, also where that is a regular file."""


@contextlib.contextmanager
def disk_errors(doing: str, path: Path, flag: str | None = None) -> Iterator[None]:
    """Turn an `OSError` of the body into one line for the user.

    Args:
        doing: What the body does to ``path``, such as ``"write"``.
        path: The file or folder the message names.
        flag: The command-line option that chooses another folder, if there is one.

    Raises:
        MmulbenchError: The body raised `OSError`.
    """
    try:
        yield
    except OSError as error:
        space = "free space or " if error.errno in _NO_SPACE else ""
        other = f" with {flag}" if flag else ""
        message = f"cannot {doing} {path}: {reason_of(error)}; {space}choose another folder{other}"
        raise MmulbenchError(message) from error


def reason_of(error: OSError) -> str:
    """Return the reason of an error in the system's words, without number and path."""
    return error.strerror or str(error) or type(error).__name__


def is_written_through(path: Path) -> bool:
    """Tell whether a path is no file to be replaced, but leads elsewhere: a pipe, a device, ``/dev/stdout``.

    Raises:
        OSError: It cannot be looked at, as a circle of links.
    """
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(kind) or any(path.absolute().is_relative_to(stream) for stream in _STREAMS)


def write_atomically(path: Path, content: bytes | str, flag: str | None = None) -> None:
    """Write a file so that a reader, a crash or a full disk never sees or leaves half of it.

    A link stays, and the file that it names is written. What is no regular file is not replaced either: the
    content goes through it (`is_written_through`).

    Args:
        path: The file, replaced if it exists; missing folders are made.
        content: Its bytes, or text stored as UTF-8.
        flag: The command-line option that chooses another folder, for the message.

    Raises:
        MmulbenchError: It cannot be written; nothing new is left in the folder.
    """
    data = content.encode() if isinstance(content, str) else content
    with disk_errors("write", path, flag):
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_written_through(path):
            with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as file:  # noqa: PTH123
                file.write(data)
            return
        _replace(Path(os.path.realpath(path)), data)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.parent / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        _write_synced(temporary, data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_regular(path: Path, most: int = LARGEST_TEXT) -> bytes:
    """Read a whole file, unless that might never end or take all memory.

    Args:
        path: The file.
        most: The most bytes that it may have.

    Raises:
        IsADirectoryError: It is a folder.
        OSError: It cannot be read, is a pipe or a device, or is larger.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if found.st_size > most:
        reason = f"{found.st_size >> 20:,} MiB are too much: at most {most >> 20}"
        raise OSError(errno.EFBIG, reason, str(path))
    return path.read_bytes()


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Some network file systems refuse to sync a folder; the files in it are synced already.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prepare_folder(path: Path, purpose: str, flag: str) -> None:
    """Make a folder and prove it writable, before hours are spent on what is to go there.

    Args:
        path: The folder.
        purpose: What it is for, such as ``"cache"``, for the message.
        flag: The command-line option that chooses another folder.

    Raises:
        MmulbenchError: It cannot be made or written to.
    """
    probe = path / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    with disk_errors(f"use the {purpose} folder", path, flag):
        path.mkdir(parents=True, exist_ok=True)
        try:
            _write_synced(probe, b"writable?")
        finally:
            probe.unlink(missing_ok=True)


def clock_of(folder: Path) -> float:
    """Return the time in seconds since 1970 by the clock of a folder's disk, which may be another machine's.

    Args:
        folder: the folder; where it cannot be written, this machine's clock counts.
    """
    probe = folder / f".tmp-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a file, read in chunks.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
