"""A sweep on disk: what is to be done, what became of each step, and its logs. Any machine can read it.

In ``<sweeps>/<id>/``, ``sweep.json`` holds the steps and options, ``state/<step>.json`` what became of a step
(none: it waits), ``state/<step>.beat`` is touched while it runs, ``logs/<step>.log`` is what it printed, and
``planned/<step>.json`` is the record that a run gets whose worker is ended.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from mmulbench.errors import MmulbenchError, UsageError, did_you_mean
from mmulbench.files import disk_errors, write_atomically
from mmulbench.records.reading import reading
from mmulbench.sweeps.state import StepState, Sweep

SWEEPS_FLAG = "--sweeps-dir"

BEAT_SECONDS = 5.0
"""A running step is touched this often."""

LOST_SECONDS = 60.0
"""A step that was not touched for so long does not run any more, whatever its state says."""


class SweepFolder:
    """One sweep's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, tuple[tuple[int, int], StepState | None]] = {}

    @property
    def sweep_id(self) -> str:
        """The folder's name."""
        return self.root.name

    def create(self, sweep: Sweep) -> bool:
        """Write what the sweep is; False where it is there already. A damaged one is written again.

        Raises:
            MmulbenchError: when it cannot be written.
        """
        with disk_errors("make", self.root, SWEEPS_FLAG):
            for name in ("state", "logs", "locks", "workers", "planned"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(MmulbenchError):
            self.read()
            return False
        write_atomically(self._definition, sweep.model_dump_json(indent=1, by_alias=True), SWEEPS_FLAG)
        return True

    def read(self) -> Sweep:
        """What the sweep is.

        Raises:
            MmulbenchError: when it cannot be read.
        """
        advice = "it is damaged or of another version of mmulbench: give the same sweep command again"
        with reading(f"the sweep {self._definition}", advice):
            return Sweep.model_validate_json(self._definition.read_bytes())

    def log(self, step_id: str) -> Path:
        """Where a step's output goes."""
        return self.root / "logs" / f"{step_id}.log"

    def planned(self, step_id: str) -> Path:
        """Where the record lies that a run gets whose worker is ended."""
        return self.root / "planned" / f"{step_id}.json"

    def state(self, step_id: str) -> StepState | None:
        """What became of a step; None while it waits for the first time.

        A step that says it runs, but was not touched for `LOST_SECONDS`, is lost.
        """
        found = self._stored_state(step_id)
        return self._or_lost(step_id, found) if found is not None else None

    def states(self) -> dict[str, StepState]:
        """States of all steps that were begun; files that are as they were are not read again."""
        found = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root / "state") as entries:
            for entry in entries:
                name, _, suffix = entry.name.rpartition(".")
                if suffix != "json":
                    continue
                # Each state is a file of its own, put in the place of the one before.
                with contextlib.suppress(FileNotFoundError):
                    key = (entry.inode(), entry.stat().st_mtime_ns)
                    if name not in self._read or self._read[name][0] != key:
                        self._read[name] = key, self._stored_state(name)
                    if (state := self._read[name][1]) is not None:
                        found[name] = self._or_lost(name, state)
        return found

    def write_state(self, step_id: str, state: StepState) -> None:
        """Store what became of a step.

        Raises:
            MmulbenchError: when it cannot be written.
        """
        write_atomically(self.root / "state" / f"{step_id}.json", state.model_dump_json(), SWEEPS_FLAG)

    def queue_again(self, step_id: str, seen: StepState, reason: str | None = None) -> None:
        """Let a step wait again, unless a worker holds it or it has gone on since it was seen.

        Raises:
            MmulbenchError: when it cannot be written.
        """
        with self.claim(step_id) as free:
            if free and self.state(step_id) == seen:
                self.write_state(step_id, seen.queued(reason))

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
                mine = True
            except Timeout:
                mine = False
        try:
            yield mine
        finally:
            held.release()

    def beating(self, step_id: str) -> AbstractContextManager[None]:
        """Touch a step until the block ends."""
        return _touching(self.root / "state" / f"{step_id}.beat")

    def attended(self) -> AbstractContextManager[None]:
        """Say that somebody works on the sweep, until the block ends."""
        return _touching(self.root / "workers" / f"{socket.gethostname()}-{os.getpid()}.alive")

    @property
    def is_attended(self) -> bool:
        """Whether somebody works on the sweep."""
        oldest = time.time() - LOST_SECONDS
        return any(_touched(path) > oldest for path in (self.root / "workers").glob("*.alive"))

    def worker_marker(self, pid: int) -> Path:
        """Where a worker of this machine writes the id of the step that it makes."""
        return self.root / "workers" / f"{socket.gethostname()}-{pid}"

    def cancel(self) -> None:
        """Tell all workers to start nothing more."""
        with disk_errors("write", self.root / "cancelled", SWEEPS_FLAG):
            (self.root / "cancelled").touch()

    def resume(self) -> None:
        """Take `cancel` back, and let wait what this machine's dead workers left; it is the latest sweep now.

        Raises:
            MmulbenchError: when it cannot be written.
        """
        with disk_errors("write", self.root, SWEEPS_FLAG):
            (self.root / "cancelled").unlink(missing_ok=True)
            self._definition.touch()
        here = f"{socket.gethostname()}:"
        for step_id, state in self.states().items():
            if state.status in ("running", "lost") and state.worker.startswith(here):
                self.queue_again(step_id, state, f"{state.worker} is gone")

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing more is to be started."""
        return (self.root / "cancelled").exists()

    @property
    def _definition(self) -> Path:
        return self.root / "sweep.json"

    def _stored_state(self, step_id: str) -> StepState | None:
        try:
            return StepState.model_validate_json((self.root / "state" / f"{step_id}.json").read_bytes())
        except (ValidationError, OSError):
            return None  # a damaged one is done again

    def _or_lost(self, step_id: str, state: StepState) -> StepState:
        if state.status != "running" or time.time() - self._beat(step_id) <= LOST_SECONDS:
            return state
        return state.model_copy(
            update={"status": "lost", "reason": f"{state.worker} was not heard of any more"}
        )

    def _beat(self, step_id: str) -> float:
        return _touched(self.root / "state" / f"{step_id}.beat")


def find_sweep(sweeps_dir: Path, name: str | None) -> SweepFolder:
    """A sweep by its id; the one that was started last for None.

    Raises:
        UsageError: when there is none, or none of that name.
    """
    known = {path.parent.name: _touched(path) for path in sweeps_dir.glob("*/sweep.json")}
    if not known:
        raise UsageError(
            f"there are no sweeps in {sweeps_dir}: start one with mmulbench sweep, or name another folder "
            f"with {SWEEPS_FLAG}"
        )
    if name is not None and name not in known:
        raise UsageError(f"unknown sweep {name!r} in {sweeps_dir}{did_you_mean(name, known)}")
    return SweepFolder(sweeps_dir / (name or max(known, key=lambda one: known[one])))


@contextlib.contextmanager
def _touching(path: Path) -> Iterator[None]:
    """Touch a file until the block ends; then it is gone."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError):
                path.touch()

    thread = threading.Thread(target=beat, daemon=True)
    try:
        with disk_errors("write", path, SWEEPS_FLAG):
            path.touch()
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
    finally:
        path.unlink(missing_ok=True)


def _touched(path: Path) -> float:
    """When a file was last touched, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
