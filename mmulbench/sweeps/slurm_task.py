"""What runs inside a Slurm job: a worker for some steps, looked after until Slurm takes the machine away."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.killed_step import state_of_killed
from mmulbench.sweeps.state import ENDED
from mmulbench.sweeps.supervisor import supervise, worker_command

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

KEPT_FROM_THE_WORKER = 'trap "" TERM USR2; exec "$@"'
"""Slurm signals every process of a job; the worker leaves the answer to the process that looks after it."""


class SlurmSteps:
    """Makes some steps of a sweep; submitit stores it by these names alone.

    Args:
        root: folder of the sweep.
        step_ids: the steps.
        timeout: seconds that a step may take, or None.
    """

    def __init__(self, root: str, step_ids: Sequence[str], timeout: float | None) -> None:
        self.root = root
        self.step_ids = tuple(step_ids)
        self.timeout = timeout

    def __call__(self) -> None:
        """Make the steps that have not ended, those that an earlier start of the job left first.

        Raises:
            UncompletedJobError: when the time limit was reached so often that submitit gives up.
        """
        from submitit.core.utils import UncompletedJobError

        folder = SweepFolder(Path(self.root))
        let_wait(folder, self.step_ids, "its Slurm job was interrupted")
        ending = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ending.set())
        command = ["sh", "-c", KEPT_FROM_THE_WORKER, "sh", *worker_command(folder, self.step_ids)]
        threads = os.environ.get("OMP_NUM_THREADS") or os.environ.get("SLURM_CPUS_PER_TASK", "1")
        try:
            code = supervise(folder, command, self.timeout, {"OMP_NUM_THREADS": threads}, ending.is_set)
            while ending.is_set():
                # Slurm ends the job, or queues it again: a job that ends by itself now would count as done.
                signal.pause()
        except UncompletedJobError:
            self._give_up(folder)
            raise
        if code:
            sys.exit(code)

    def checkpoint(self) -> DelayedSubmission:
        """What submitit starts again after a time limit or preemption: the same, for what has not ended."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _give_up(self, folder: SweepFolder) -> None:
        options = folder.read().options
        for step_id in self.step_ids:
            state = folder.state(step_id)
            if state is not None and state.status not in ENDED:
                reason = (
                    f"did not end within Slurm's time limit, although it was started {state.attempts} times: "
                    "set a longer one with --slurm time=…"
                )
                folder.write_state(step_id, state_of_killed(folder, step_id, state, reason, options))


def let_wait(folder: SweepFolder, step_ids: Sequence[str], reason: str) -> None:
    """Let steps wait again that say they run, but that no worker holds."""
    for step_id in step_ids:
        with folder.claim(step_id) as free:
            state = folder.state(step_id)
            if free and state is not None and state.status in ("running", "lost"):
                folder.write_state(step_id, state.queued(reason))
