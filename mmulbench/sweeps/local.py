"""The local executor: some worker processes on this machine, which share its threads and GPUs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.supervisor import supervise, worker_command


@dataclass(frozen=True)
class Local:
    """Settings of the local executor.

    Attributes:
        workers: processes side by side.
        timeout: seconds that a step may take.
    """

    workers: int = 1
    timeout: float | None = None


def run_local(folder: SweepFolder, executor: Local, count: int, watch: Callable[[], None]) -> None:
    """Make all steps of a sweep.

    Args:
        folder: of the sweep.
        executor: how many workers.
        count: steps of the sweep.
        watch: called about twice a second, to show how far it is.
    """
    threads = [
        threading.Thread(
            target=supervise,
            args=(
                folder,
                worker_command(folder, 0, count),
                executor.timeout,
                share(number, executor.workers),
            ),
            daemon=True,
        )
        for number in range(executor.workers)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        watch()
        time.sleep(0.5)
    watch()


def share(number: int, workers: int) -> dict[str, str]:
    """What a worker may use: its part of the threads, and one GPU where there are any.

    Args:
        number: of the worker, from 0.
        workers: how many there are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // workers))}
    if gpus := visible_gpus():
        found["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    return found


def visible_gpus() -> list[str]:
    """Numbers of the GPUs that this process may use."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [one for one in chosen.split(",") if one]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
