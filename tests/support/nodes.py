"""Processes that take this machine for a node of their own, on a disk of which nodes are fond or not."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

from forks import FORKS

from mmulbench import leases

LEASE, BEAT = 3.0, 0.2
"""Seconds after which a node of these tests takes over, and between two signs of life."""


PATIENCE = 120.0
"""Seconds for anything that another process does; a busy machine is slow."""


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.01)


def start(node: str, target: Callable[..., Any], *args: Any, exchange: bool = True) -> BaseProcess:
    """Call an importable function in a process of its own.

    Args:
        node: host that it believes to be on.
        target: the function.
        args: its arguments.
        exchange: whether the disk can exchange two names, as those of clusters cannot.
    """
    child = FORKS.Process(target=_on, args=(node, exchange, target, *args))
    child.start()
    return child


def _on(node: str, exchange: bool, target: Callable[..., Any], *args: Any) -> None:
    socket.gethostname = lambda: node
    fcntl.flock = no_flock
    leases.LEASE_SECONDS, leases.BEAT_SECONDS = LEASE, BEAT
    if not exchange:
        platform.machine = lambda: "one that filelock does not know"
    target(*args)


def no_flock(*_: Any) -> NoReturn:
    """Answer as Lustre does where it is mounted without flock."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def kill(child: BaseProcess) -> None:
    """End a process as kill -9 does."""
    child.kill()
    child.join(PATIENCE)
    assert child.exitcode == -signal.SIGKILL
