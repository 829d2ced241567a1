"""What a sweep keeps on disk: the steps and options it was asked for, and what became of each step."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from mmulbench.sweeps.grid import Frozen, Job
from mmulbench.sweeps.plan import Kind, Plan, Step

Status = Literal["queued", "running", "done", "diverged", "not_applicable", "failed", "lost"]
ENDED: tuple[Status, ...] = ("done", "diverged", "not_applicable", "failed")

StepId = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
"""Names files, so that nothing else may be one."""


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


class StoredStep(Frozen):
    """A step as it is kept on disk."""

    kind: Kind
    job: Job
    step_id: StepId
    needs: tuple[StepId, ...]
    shadow: int = Field(default=0, ge=0)

    @classmethod
    def of(cls, step: Step) -> StoredStep:
        """A step, to be kept."""
        return cls(kind=step.kind, job=step.job, step_id=step.step_id, needs=step.needs, shadow=step.shadow)

    def step(self) -> Step:
        """The step."""
        return Step(self.kind, self.job, self.step_id, self.needs, self.shadow)


class StoredSweep(Frozen):
    """What a sweep is: its steps and options; written once."""

    sweep_id: str
    created: datetime
    command: str
    cwd: str = Field(description="where it was asked for: settings may name files from there")
    options: dict[str, Any] = Field(description="of `run`, the same for all runs")
    steps: tuple[StoredStep, ...]

    def plan(self) -> Plan:
        """The steps."""
        return Plan(tuple(step.step() for step in self.steps))


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
