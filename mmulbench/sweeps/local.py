"""The local executor: some worker processes on this machine, which share its threads and GPUs.

Each has a supervisor, in a session of its own: when the terminal is closed or the command that started them
is killed, they go on until nothing is left to do. Ctrl-C ends them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.files import disk_errors
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder

WATCH_SECONDS = 0.5


@dataclass(frozen=True)
class Local:
    """Settings of the local executor.

    Attributes:
        workers: processes side by side.
        timeout: seconds that a step may take.
        detach: whether to start them and leave.
    """

    workers: int = 1
    timeout: float | None = None
    detach: bool = False


@dataclass(frozen=True)
class Started:
    """A supervisor under way, and the file that holds what it prints."""

    process: subprocess.Popen[bytes]
    log: Path


def start_local(
    folder: SweepFolder, executor: Local, device: str, step_ids: Sequence[str] = ()
) -> list[Started]:
    """Start the workers of a sweep.

    Args:
        folder: of the sweep.
        executor: how many.
        device: as for ``--device``.
        step_ids: the steps that they may take, all by default.

    Raises:
        MmulbenchError: when the sweep's folder cannot be written.
    """
    command = [sys.executable, "-m", "mmulbench.sweeps.supervisor", str(folder.root), *step_ids]
    if executor.timeout is not None:
        command += ["--timeout", str(executor.timeout)]
    started = []
    for number in range(executor.workers):
        log = folder.root / "logs" / f"worker-{os.getpid()}-{number}.log"
        with disk_errors("write", log, SWEEPS_FLAG), log.open("wb") as printed:
            process = subprocess.Popen(
                command,
                env={**os.environ, **share(number, executor.workers, device)},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Started(process, log))
    return started


def follow(started: Sequence[Started], watch: Callable[[], None]) -> None:
    """Wait until all workers have ended; end them when interrupted.

    Args:
        started: the workers.
        watch: called about twice a second, less often where it takes long, to show how far it is.

    Raises:
        MmulbenchError: when all workers ended in failure; with the reason of one.
    """
    try:
        while any(one.process.poll() is None for one in started):
            began = time.monotonic()
            watch()
            # Looking at 10,000 steps takes a while: the time belongs to the workers.
            time.sleep(max(WATCH_SECONDS, 20 * (time.monotonic() - began)))
    except BaseException:
        for one in started:
            one.process.terminate()
        for one in started:
            one.process.wait()
        raise
    watch()
    if all(one.process.returncode for one in started):
        said = started[0].log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise MmulbenchError(said[-1].removeprefix("mmulbench: ") if said else "the workers ended in failure")


def share(number: int, workers: int, device: str) -> dict[str, str]:
    """What a worker may use: its part of the threads, and one GPU where there are any to choose from.

    Args:
        number: of the worker, from 0.
        workers: how many there are.
        device: as for ``--device``; who names a GPU gets it.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // workers))}
    gpus = visible_gpus() if device in ("auto", "cuda") else []
    if gpus:
        found["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    return found


def visible_gpus() -> list[str]:
    """Numbers of the GPUs that this process may use; none of them is initialised."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [one.strip() for one in chosen.split(",") if one.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
