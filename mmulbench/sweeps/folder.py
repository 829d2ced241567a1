"""A sweep on disk: what is to be done, what became of each step, and its logs. Any machine can read it.

``<sweeps>/<id>/sweep.json`` holds the steps and options, ``state/<step>.json`` what became of a step (none:
it waits), ``state/<step>.beat`` is touched while it runs, ``logs/<step>.log`` is what it printed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from mmulbench.errors import MmulbenchError, UsageError, did_you_mean
from mmulbench.files import disk_errors, reason_of, write_atomically
from mmulbench.sweeps.grid import Frozen, Job
from mmulbench.sweeps.plan import Kind, Plan, Step

SWEEPS_FLAG = "--sweeps-dir"

BEAT_SECONDS = 5.0
"""A running step is touched this often."""

LOST_SECONDS = 60.0
"""A step that was not touched for so long does not run any more, whatever its state says."""

Status = Literal["running", "done", "diverged", "not_applicable", "failed", "lost", "cancelled"]
ENDED: tuple[Status, ...] = ("done", "diverged", "not_applicable", "failed", "cancelled")


class StepState(Frozen):
    """What became of a step."""

    status: Status
    attempts: int = Field(ge=1, description="how often it was started")
    worker: str = Field(description="host and process, and the Slurm job where there is one")
    started: datetime
    ended: datetime | None = None
    reason: str | None = None
    record: str | None = Field(default=None, description="file of the record, where there is one")


class StoredStep(Frozen):
    """A step as it is kept on disk."""

    kind: Kind
    job: Job
    step_id: str
    needs: tuple[str, ...]

    def step(self) -> Step:
        """The step."""
        return Step(self.kind, self.job, self.step_id, self.needs)


class StoredSweep(Frozen):
    """What a sweep is: its steps and options; written once."""

    sweep_id: str
    created: datetime
    command: str
    options: dict[str, Any] = Field(description="of `run`, the same for all runs")
    steps: tuple[StoredStep, ...]

    def plan(self) -> Plan:
        """The steps."""
        return Plan(tuple(step.step() for step in self.steps))


class SweepFolder:
    """One sweep's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def sweep_id(self) -> str:
        """The folder's name."""
        return self.root.name

    def create(self, sweep: StoredSweep) -> bool:
        """Write what the sweep is; False where the same sweep is there already.

        Raises:
            MmulbenchError: when it cannot be written.
        """
        if (self.root / "sweep.json").exists():
            return False
        with disk_errors("make", self.root, SWEEPS_FLAG):
            for name in ("state", "logs", "locks", "workers"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        write_atomically(
            self.root / "sweep.json", sweep.model_dump_json(indent=1, by_alias=True), SWEEPS_FLAG
        )
        return True

    def read(self) -> StoredSweep:
        """What the sweep is.

        Raises:
            MmulbenchError: when it cannot be read.
        """
        path = self.root / "sweep.json"
        try:
            return StoredSweep.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise MmulbenchError(f"cannot read the sweep {path}: {reason_of(error)}") from error
        except ValidationError as error:
            raise MmulbenchError(f"cannot read the sweep {path}: it is damaged; submit it again") from error

    def log(self, step_id: str) -> Path:
        """Where a step's output goes."""
        return self.root / "logs" / f"{step_id}.log"

    def state(self, step_id: str, now: float | None = None) -> StepState | None:
        """What became of a step; None while it waits.

        A step that says it runs, but was not touched for `LOST_SECONDS`, is lost.
        """
        path = self.root / "state" / f"{step_id}.json"
        try:
            found = StepState.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (ValidationError, OSError):
            return None  # half a file cannot be: states are written whole; a damaged one is done again
        if found.status == "running" and (now or time.time()) - self._beat(step_id) > LOST_SECONDS:
            return found.model_copy(
                update={"status": "lost", "reason": f"{found.worker} was not heard of any more"}
            )
        return found

    def states(self) -> dict[str, StepState]:
        """States of all steps that do not wait."""
        now, found = time.time(), {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root / "state") as entries:
            for entry in entries:
                name, _, suffix = entry.name.rpartition(".")
                if suffix == "json" and (state := self.state(name, now)) is not None:
                    found[name] = state
        return found

    def write_state(self, step_id: str, state: StepState) -> None:
        """Store what became of a step.

        Raises:
            MmulbenchError: when it cannot be written.
        """
        write_atomically(self.root / "state" / f"{step_id}.json", state.model_dump_json(), SWEEPS_FLAG)

    def forget(self, step_id: str) -> None:
        """Let a step wait again."""
        for suffix in ("json", "beat"):
            (self.root / "state" / f"{step_id}.{suffix}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def claim(self, step_id: str) -> Iterator[bool]:
        """Hold a step, so that no other worker takes it; False where another holds it.

        The kernel lets go when the process ends, however it does.
        """
        path = self.root / "locks" / f"{step_id}.lock"
        with disk_errors("lock", path, SWEEPS_FLAG):
            held = FileLock(path)
            try:
                held.acquire(timeout=0)
            except Timeout:
                yield False
                return
        try:
            yield True
        finally:
            held.release()

    @contextlib.contextmanager
    def beating(self, step_id: str) -> Iterator[None]:
        """Touch a step until the block ends."""
        path, over = self.root / "state" / f"{step_id}.beat", threading.Event()
        path.touch()

        def beat() -> None:
            while not over.wait(BEAT_SECONDS):
                with contextlib.suppress(OSError):
                    path.touch()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def worker_marker(self, pid: int) -> Path:
        """Where a worker of this machine writes the id of the step that it makes."""
        return self.root / "workers" / f"{socket.gethostname()}-{pid}"

    def cancel(self) -> None:
        """Tell all workers to start nothing more."""
        with disk_errors("write", self.root / "cancelled", SWEEPS_FLAG):
            (self.root / "cancelled").touch()

    def resume(self) -> None:
        """Take `cancel` back."""
        (self.root / "cancelled").unlink(missing_ok=True)

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing more is to be started."""
        return (self.root / "cancelled").exists()

    def _beat(self, step_id: str) -> float:
        try:
            return (self.root / "state" / f"{step_id}.beat").stat().st_mtime
        except OSError:
            return 0.0


def find_sweep(sweeps_dir: Path, name: str | None) -> SweepFolder:
    """A sweep by its id; the latest for None.

    Raises:
        UsageError: when there is none, or none of that name.
    """
    known = {path.parent.name: path.stat().st_mtime for path in sweeps_dir.glob("*/sweep.json")}
    if not known:
        raise UsageError(f"there are no sweeps in {sweeps_dir}: start one with mmulbench sweep")
    if name is not None and name not in known:
        raise UsageError(f"unknown sweep {name!r} in {sweeps_dir}{did_you_mean(name, known)}")
    return SweepFolder(sweeps_dir / (name or max(known, key=lambda one: known[one])))


def this_worker() -> str:
    """Host and process, and the Slurm job where there is one."""
    slurm = os.environ.get("SLURM_JOB_ID")
    task = os.environ.get("SLURM_ARRAY_TASK_ID")
    job = f", Slurm job {os.environ.get('SLURM_ARRAY_JOB_ID', slurm)}" if slurm else ""
    return f"{socket.gethostname()}:{os.getpid()}{job}{f'_{task}' if task else ''}"


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(timezone.utc)
