"""Describe what a sweep keeps on disk: its steps and options, and the state of each step."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from mmulbench.frozen import Frozen
from mmulbench.sweeps.plan import Plan

Status = Literal["queued", "running", "done", "diverged", "not_applicable", "failed", "lost"]
ENDED: tuple[Status, ...] = ("done", "diverged", "not_applicable", "failed")


class StepState(Frozen):
    """What became of a step."""

    status: Status
    attempts: int = Field(ge=0, description="how often it was started")
    worker: str = Field(description="host and process, and the Slurm job where there is one")
    started: datetime
    ended: datetime | None = None
    reason: str | None = None
    record: str | None = Field(default=None, description="file of the record, where there is one")
    killed: bool = Field(default=False, description="whether it failed because its worker was ended")

    def queued(self, reason: str | None = None) -> StepState:
        """The state of a step that waits again."""
        return self.model_copy(update={"status": "queued", "ended": now(), "reason": reason, "killed": False})


class Sweep(Frozen):
    """Describes a sweep: its steps and the options they share; it is written once."""

    sweep_id: str
    created: datetime
    command: str
    cwd: str = Field(description="folder where the sweep was started: settings may name files from there")
    options: dict[str, Any] = Field(description="options of `run`, the same for all runs")
    plan: Plan = Field(alias="steps")


def this_worker() -> str:
    """Host and process, and the Slurm job where there is one."""
    slurm = os.environ.get("SLURM_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f", Slurm job {os.environ.get('SLURM_ARRAY_JOB_ID', slurm)}" if slurm else ""
    return f"{worker_name(os.getpid())}{job}{f'_{task}' if task else ''}"


def worker_name(pid: int) -> str:
    """How the worker with a process id is called on this machine."""
    return f"{socket.gethostname()}:{pid}"


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)
