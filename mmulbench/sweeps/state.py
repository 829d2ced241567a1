"""Describe what a sweep keeps on disk: its steps and options, and the state of each step."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from mmulbench.frozen import Frozen
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.plan import Plan

StepStatus = Literal["queued", "running", "done", "diverged", "not_applicable", "failed", "lost"]
ENDED: tuple[StepStatus, ...] = ("done", "diverged", "not_applicable", "failed")
"""Statuses of steps that have ended, well or not."""


class StepState(Frozen):
    """Holds what became of a step."""

    status: StepStatus
    attempts: int = Field(ge=0, description="number of times that the step was started")
    worker: str = Field(description="host and process, and the Slurm job where there is one")
    started: datetime = Field(description="start of the latest attempt")
    ended: datetime | None = Field(default=None, description="end of the latest attempt")
    reason: str | None = Field(default=None, description="reason why the step did not end well, or waits")
    record: str | None = Field(default=None, description="file of the record, where there is one")
    killed: bool = Field(default=False, description="whether the step failed because its worker was killed")

    def queued(self, reason: str | None = None) -> StepState:
        """Return the state of a step that waits again."""
        return self.model_copy(update={"status": "queued", "ended": now(), "reason": reason, "killed": False})


class Sweep(Frozen):
    """Describes a sweep: its steps and the options they share; it is written once."""

    sweep_id: str
    created: datetime
    command: str = Field(description="command line that asked for the sweep")
    cwd: str = Field(description="folder where the sweep was started: settings may name files from there")
    options: RunOptions = Field(description="options that all runs share, with absolute paths")
    plan: Plan = Field(alias="steps")


def this_worker() -> str:
    """Name this worker: host and process, and the Slurm job where there is one."""
    slurm = os.environ.get("SLURM_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f", Slurm job {os.environ.get('SLURM_ARRAY_JOB_ID', slurm)}" if slurm else ""
    return f"{worker_name(os.getpid())}{job}{f'_{task}' if task else ''}"


def worker_name(pid: int) -> str:
    """Name the worker of this machine that has a process id."""
    return f"{socket.gethostname()}:{pid}"


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
