"""Run inside a Slurm job: supervise a worker for some steps until Slurm takes the machine away."""

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
"""Shell command that hides signals from the worker: Slurm sends them to every process of a job, but only the
supervisor is to answer."""


class SlurmSteps:
    """Makes some steps of a sweep; submitit stores it by these names alone.

    Args:
        root: path of the sweep's folder.
        step_ids: ids of the steps.
        timeout: seconds that a step may take, if there is a limit.
    """

    def __init__(self, root: str, step_ids: Sequence[str], timeout: float | None) -> None:
        self.root = root
        self.step_ids = tuple(step_ids)
        self.timeout = timeout

    def __call__(self) -> None:
        """Make the steps that have not ended, beginning with those that an earlier start of the job left.

        Raises:
            UncompletedJobError: The time limit was reached so often that submitit gives up.
        """
        from submitit.core.utils import UncompletedJobError

        folder = SweepFolder(Path(self.root))
        queue_abandoned(folder, self.step_ids, "its Slurm job was interrupted")
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
        """Return what submitit starts again after a time limit or preemption: the steps that are left."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _give_up(self, folder: SweepFolder) -> None:
        sweep = folder.read()
        for step_id in self.step_ids:
            state = folder.state(step_id)
            if state is not None and state.status not in ENDED:
                reason = (
                    f"did not end within Slurm's time limit, although it was started {state.attempts} times: "
                    "set a longer one with --slurm time=…"
                )
                folder.write_state(step_id, state_of_killed(folder, step_id, state, reason, sweep))


def queue_abandoned(folder: SweepFolder, step_ids: Sequence[str], reason: str) -> None:
    """Re-queue steps that say they run, but that no worker holds.

    Args:
        folder: folder of the sweep.
        step_ids: ids of the steps.
        reason: reason why the steps wait again.
    """
    for step_id in step_ids:
        with folder.claim(step_id) as free:
            state = folder.state(step_id)
            if free and state is not None and state.status in ("running", "lost"):
                folder.write_state(step_id, state.queued(reason))
