"""Make steps with some worker processes on this machine, which share its threads and GPUs.

Each worker has a supervisor in a session of its own. If the terminal is closed or the command that started
them is killed, they go on until nothing is left to do; Ctrl-C ends them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field
from rich.console import Console

from mmulbench.errors import MmulbenchError
from mmulbench.files import disk_errors
from mmulbench.sweeps.executor import Executor, Handover, Seconds, Selection
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.status_output import live_counts

WATCH_SECONDS = 0.5
"""Least time between two looks at how far the sweep is."""


@dataclass(frozen=True)
class RunningSupervisor:
    """Holds a supervisor that was started.

    Attributes:
        process: process of the supervisor.
        log: file of what it prints.
    """

    process: subprocess.Popen[bytes]
    log: Path


class LocalExecutor(Executor):
    """Makes steps in some worker processes on this machine.

    Attributes:
        name: name of the executor.
        workers: number of processes side by side.
        timeout: seconds that a step may take.
        detach: whether to start the processes and leave.
    """

    name: Literal["local"] = "local"
    workers: int = Field(default=1, ge=1)
    timeout: Seconds | None = None
    detach: bool = False

    def run(self, selection: Selection, *, quiet: bool) -> Handover:
        """Start the workers, and follow them unless they are to be left alone."""
        if not selection.chosen.steps:  # no ids at all would be all steps
            return Handover.ENDED
        supervisors = self.start(selection.folder, selection.options.device, selection.step_ids)
        console = Console(stderr=True)
        if self.detach:
            console.print("the workers are started; this terminal may be closed", highlight=False)
            return Handover.STARTED
        with live_counts(selection.folder, selection.plan, quiet=quiet) as watch:
            follow(supervisors, watch)
        return Handover.ENDED

    def start(
        self, folder: SweepFolder, device: str, step_ids: Sequence[str] = ()
    ) -> list[RunningSupervisor]:
        """Start the workers of a sweep.

        Args:
            folder: folder of the sweep.
            device: device, as for ``--device``.
            step_ids: ids of the steps that the workers may take, all by default.

        Raises:
            MmulbenchError: The sweep's folder cannot be written.
        """
        command = [sys.executable, "-m", "mmulbench.sweeps.supervisor", str(folder.root), *step_ids]
        if self.timeout is not None:
            command += ["--timeout", str(self.timeout)]
        supervisors = []
        for number in range(self.workers):
            log = folder.root / "logs" / f"worker-{os.getpid()}-{number}.log"
            with disk_errors("write", log, SWEEPS_FLAG), log.open("wb") as printed:
                process = subprocess.Popen(
                    command,
                    env={**os.environ, **share(number, self.workers, device)},
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            supervisors.append(RunningSupervisor(process, log))
        return supervisors


def follow(supervisors: Sequence[RunningSupervisor], watch: Callable[[], None]) -> None:
    """Wait until all workers have ended; end them when interrupted.

    Args:
        supervisors: supervisors of the workers.
        watch: called about twice a second, less often where it takes long, to show how far the sweep is.

    Raises:
        MmulbenchError: All workers ended in failure; the message is the reason of one.
    """
    try:
        while any(one.process.poll() is None for one in supervisors):
            began = time.monotonic()
            watch()
            # Looking at 10,000 steps takes a while: the time belongs to the workers.
            time.sleep(max(WATCH_SECONDS, 20 * (time.monotonic() - began)))
    except BaseException:
        for one in supervisors:
            one.process.terminate()
        for one in supervisors:
            one.process.wait()
        raise
    watch()
    if all(one.process.returncode for one in supervisors):
        said = supervisors[0].log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        failure = MmulbenchError(
            said[-1].removeprefix("mmulbench: ") if said else "the workers ended in failure"
        )
        if len(said) > 1:
            failure.add_note("\n".join(said))  # which tracebacks show
        raise failure


def share(number: int, workers: int, device: str) -> dict[str, str]:
    """Return environment variables that give a worker its part of the threads, and one GPU if there are any.

    Args:
        number: number of the worker, from 0.
        workers: number of all workers.
        device: device as for ``--device``; a GPU that is named is used by all workers.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // workers))}
    gpus = visible_gpus() if device in ("auto", "cuda") else []
    if gpus:
        found["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    return found


def visible_gpus() -> list[str]:
    """Return the numbers of the GPUs that this process may use, without initialising one."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [one.strip() for one in chosen.split(",") if one.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
