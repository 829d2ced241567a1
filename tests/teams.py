"""Running a function in several processes that make one run together, each a fork of a warm server."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import torch

from mmulbench import parallel

T = TypeVar("T")

FORKS = multiprocessing.get_context("forkserver")
PRELOAD = [
    "accelerate",
    "torch._dynamo",
    "torch_geometric.nn",
    "mmulbench.commands",
    "mmulbench.contract.kinds",
]
PATIENCE = 120


def together(count: int, work: Callable[..., T], *given: Any) -> list[T]:
    """What a function returns in each of so many processes.

    Args:
        count: of processes.
        work: of a module, so that it can be named to another process.
        given: its arguments.
    """
    FORKS.set_forkserver_preload(PRELOAD)  # without effect where another test has started the server
    port = _free_port()
    pipes, started = [], []
    for rank in range(count):
        here, there = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=_member, args=(rank, count, port, there, work, given), daemon=True)
        process.start()
        there.close()
        pipes.append(here)
        started.append(process)
    try:
        assert all(pipe.poll(PATIENCE) for pipe in pipes)
        found = [pickle.loads(pipe.recv_bytes()) for pipe in pipes]  # noqa: S301 (our own processes)
        for process in started:
            process.join(PATIENCE)
        return found
    finally:
        for process in started:
            process.kill()
            process.join()


def _member(
    rank: int, count: int, port: int, pipe: Connection, work: Callable[..., Any], given: tuple[Any, ...]
) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update({"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"})
    torch.set_num_threads(1)
    parallel.join(cpu=True)
    pipe.send_bytes(pickle.dumps(work(*given)))
    parallel.leave()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
