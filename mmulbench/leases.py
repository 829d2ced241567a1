"""Leases: locks that name their owner and lapse with it, on any disk that nodes share.

They need no `flock`, which cluster file systems may lack, or keep to one node. A lease is filelock's
`SoftFileLease`: a file that its owner alone can make, and touches every `BEAT_SECONDS`. It is taken over at
once from a process of this host that is gone, and from any other when the file has not changed for
`LEASE_SECONDS`, by the clock of who waits: no two clocks are compared. An owner that was only stopped so long
goes on beside its successor. What a lease guards must bear that: each works under names of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from filelock import LeaseSettingsMismatch, SoftFileLease, Timeout

from mmulbench.owners import Owner, this_owner

LEASE_SECONDS = 60.0
"""Time without a touch after which a lease is taken over, whoever owns it."""

BEAT_SECONDS = 10.0
"""Time between two touches."""

POLL_SECONDS = 0.2
"""Time between two looks whether a lease is free."""

_LAPSED: set[Owner] = set()
"""Owners that this process did not hear of for `LEASE_SECONDS`."""


class _Mark(NamedTuple):
    """Holds what the file of a lease is at a moment; a touch makes it another.

    Attributes:
        content: what it says; empty where it cannot be read.
        changed: time of its last change, whatever clock that is of.
    """

    content: bytes
    changed: int


class Holder(NamedTuple):
    """Names who has a lease.

    Attributes:
        name: the process and its host, for a message.
        since: since when, in seconds since 1970 by the disk's clock; None where it is not known.
    """

    name: str
    since: float | None = None

    @property
    def began(self) -> str:
        """Since when, for the end of a message."""
        if self.since is None:
            return ""
        return f" since {datetime.fromtimestamp(self.since).astimezone().isoformat(' ', 'seconds')}"


class Lease:
    """Is held by one thread of one process at a time, of all that look at its file.

    Args:
        path: the file, which is there while somebody holds the lease; the folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = SoftFileLease(path, lease_duration=LEASE_SECONDS, heartbeat_interval=BEAT_SECONDS)
        self._signature = path.with_suffix(".owner")
        self._seen: tuple[_Mark | None, float] = (None, 0.0)

    def take(self) -> bool:
        """Try once to get the lease.

        Returns:
            Whether this thread has it now, and had it not before.

        Raises:
            OSError: The file cannot be made.
        """
        if self._lock.is_locked:
            return False
        mark = _mark(self.path)
        is_abandoned = mark is not None and self._is_abandoned(mark)
        if self._try():
            return True
        if mark is None or not is_abandoned:
            return False
        self._remove(mark)
        return self._try()

    def _try(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except (Timeout, LeaseSettingsMismatch):
            return False
        owner = self._lock.owner
        with contextlib.suppress(OSError):  # it is only to tell others
            signed = {"token": owner.token if owner else None, **this_owner()._asdict()}
            self._signature.write_text(json.dumps(signed), encoding="utf-8")
        return True

    def release(self) -> None:
        """Give the lease back; where the disk refuses that, it lapses."""
        with contextlib.suppress(OSError):
            if not self.was_lost:
                self._signature.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._lock.release()

    @property
    def was_lost(self) -> bool:
        """Whether another took the lease while this thread held it."""
        return self._lock.compromise is not None

    def holder(self) -> Holder:
        """Name who has the lease."""
        found = self._lock.owner
        if found is None:
            return Holder("another process")
        name = f"process {found.pid} on {found.hostname.partition('?')[0]}"
        with contextlib.suppress(OSError):
            if self._signed() is not None:
                return Holder(name, self._signature.stat().st_mtime)
        return Holder(name)

    def _signed(self) -> Owner | None:
        """Return who has the lease, where the owner of this very lease says so."""
        found = self._lock.owner
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            signed = json.loads(self._signature.read_bytes())
            if found is not None and signed.pop("token") == found.token:
                return Owner(**signed)
        return None

    def _is_abandoned(self, mark: _Mark) -> bool:
        """Tell whether the owner is gone, or was not heard of while this object looked."""
        if mark != self._seen[0]:
            self._seen = mark, time.monotonic()
        signed = self._signed()
        if signed is not None and signed.is_gone():
            return True
        # Who lost one lease holds others: these need not be watched as long again, one after the other.
        patience = 2 * BEAT_SECONDS if signed in _LAPSED else LEASE_SECONDS
        if time.monotonic() - self._seen[1] < patience:
            return False
        if signed is not None:
            _LAPSED.add(signed)
        return True

    def _remove(self, mark: _Mark) -> None:
        """Remove the file of an abandoned lease, unless it is another's by now.

        filelock does this itself where a disk can exchange two names, as network file systems cannot.
        """
        aside = self.path.with_name(f"{self.path.name}-{secrets.token_hex(8)}.gone")
        with contextlib.suppress(OSError):  # another was faster, or the folder lets its owner alone remove it
            self.path.rename(aside)
            taken = _mark(aside)
            if taken is not None and taken.content != mark.content:
                with contextlib.suppress(OSError):
                    os.link(aside, self.path)
            aside.unlink()


def _mark(path: Path) -> _Mark | None:
    """Return what a file is; opened, since a network file system then asks its server. None if it is gone."""
    try:
        with path.open("rb") as file:
            return _Mark(file.read(), os.fstat(file.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return None
    except OSError:  # another user's
        with contextlib.suppress(OSError):
            return _Mark(b"", path.stat().st_mtime_ns)
        return None


@contextlib.contextmanager
def leased(path: Path, doing: str, report: Callable[[str], None]) -> Iterator[None]:
    """Hold a lease until the block ends; wait for it before, and say for whom.

    Args:
        path: the lease's file; its folder must exist.
        doing: what a holder does, such as ``"building original"``.
        report: receives a line where one must wait, another once a minute if the holder has changed.

    Raises:
        OSError: The file cannot be made.
    """
    lease = Lease(path)
    said: Holder | None = None
    silent_until, looked = 0.0, False
    while not lease.take():
        holder = lease.holder()
        is_told = holder.since is not None or looked  # who has it this very moment has not signed yet
        looked = True
        if is_told and holder != said and time.monotonic() >= silent_until:
            report(f"waiting for {holder.name}, {doing}{holder.began}")
            said, silent_until = holder, time.monotonic() + LEASE_SECONDS
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if lease.was_lost:
            report(f"this process was not heard of for {LEASE_SECONDS:g} s: another is {doing} as well")
        lease.release()
