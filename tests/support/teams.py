"""Functions run in several processes that make one run together, each a fork of a warm server."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, TypeVar

import torch
from forks import FORKS

from mmulbench import processes

T = TypeVar("T")

PATIENCE = 360


class Team:
    """Processes that wait for work.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        port = _free_port()
        self._pipes: list[Connection] = []
        self._members: list[Any] = []
        for rank in range(count):
            here, there = FORKS.Pipe()
            process = FORKS.Process(target=_member, args=(rank, count, port, there), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._members.append(process)

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for pipe in self._pipes:
                pipe.send(None)
            for member in self._members:
                member.join(PATIENCE)
        for member in self._members:
            member.kill()

    def __call__(self, work: Callable[..., T], *given: Any) -> list[T]:
        """What a function returns in each process.

        Args:
            work: of a module, so that it can be named to another process; returns no tensors.
            given: its arguments.
        """
        for pipe in self._pipes:
            pipe.send((work, given))
        assert all(pipe.poll(PATIENCE) for pipe in self._pipes)
        return [pipe.recv() for pipe in self._pipes]


def _member(rank: int, count: int, port: int, pipe: Connection) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"})
    torch.set_num_threads(1)
    processes.join(cpu=True)
    while (asked := pipe.recv()) is not None:
        work, given = asked
        pipe.send(work(*given))
    processes.leave()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
