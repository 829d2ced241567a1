"""Name the process that owns something on a disk, and tell whether that process is gone."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple


class Owner(NamedTuple):
    """Names a process, on this host or on another.

    Attributes:
        host: name of its host, as far as process ids mean the same there.
        pid: its id.
        start: when it started, in ticks since the host did; 0 where the system does not say.
    """

    host: str
    pid: int
    start: int

    def is_gone(self) -> bool:
        """Tell whether the process certainly does not run any more; of another host's nothing is certain."""
        if self.host != this_host():
            return False
        if not is_running(self.pid):
            return True
        start = _start_of(self.pid)
        return start is None or start not in (0, self.start or start)


def is_running(pid: int) -> bool:
    """Tell whether this host has a process of this id, whoever's it is."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def this_owner() -> Owner:
    """Return the name of this process."""
    return Owner(this_host(), os.getpid(), _start_of(os.getpid()) or 0)


def this_host() -> str:
    """Return the name of this host, usable in a file's name; containers that share one differ in it."""
    name = "".join(sign if sign.isalnum() or sign in ".-" else "_" for sign in socket.gethostname())
    try:
        return f"{name}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return name


def _start_of(pid: int) -> int | None:
    """Return when a process started, in ticks; 0 where the system does not say, None if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    fields = text[text.rfind(b")") + 1 :].split()  # the program's name before them may hold anything
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
