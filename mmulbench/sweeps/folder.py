"""Keep a sweep on disk: its steps, what became of each, and their logs. Any machine can read it.

In ``<sweeps>/<id>/``, ``sweep.json`` holds the steps and options, and ``state/<step>.json`` the state of a
step (without one, it waits). ``state/<step>.beat`` is touched while the step runs, ``logs/<step>.log`` holds
what it printed, and ``planned/<step>.json`` is the record that a run gets if its worker is killed.
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
from typing import NamedTuple

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError, UsageError, did_you_mean
from mmulbench.file_digests import Stamp
from mmulbench.files import clock_of, disk_errors, read_regular, write_atomically
from mmulbench.leases import Lease
from mmulbench.owners import is_running
from mmulbench.records.reading import reading
from mmulbench.sweeps.state import StepState, Sweep

SWEEPS_FLAG = "--sweeps-dir"
"""Option that chooses the folder of sweeps, which messages name."""

BEAT_SECONDS = 5.0
"""Time between two touches of a running step."""

LOST_SECONDS = 60.0
"""Longest time without a touch; after it, a step does not run any more, whatever its state says."""


class _CachedState(NamedTuple):
    stamp: Stamp
    state: StepState | None


class SweepFolder:
    """Reads and writes the folder of one sweep.

    Args:
        root: path of the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._cached: dict[str, _CachedState] = {}
        self._leases: dict[str, Lease] = {}
        self._clock: float | None = None

    @property
    def sweep_id(self) -> str:
        """Id of the sweep, which is the folder's name."""
        return self.root.name

    def create(self, sweep: Sweep) -> bool:
        """Write the sweep, unless it is there already and can be read.

        Returns:
            Whether it was written.

        Raises:
            MmulbenchError: It cannot be written.
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
        """Read the sweep.

        Raises:
            MmulbenchError: It cannot be read.
        """
        advice = "it is damaged or of another version of mmulbench: give the same sweep command again"
        with reading(f"the sweep {self._definition}", advice):
            return Sweep.model_validate_json(self._definition.read_bytes())

    def log(self, step_id: str) -> Path:
        """Return the file of what a step prints."""
        return self.root / "logs" / f"{step_id}.log"

    def planned(self, step_id: str) -> Path:
        """Return the file of the record that a run gets if its worker is killed."""
        return self.root / "planned" / f"{step_id}.json"

    def state(self, step_id: str) -> StepState | None:
        """Read the state of a step; None while it waits for the first time.

        A step that says it runs, but was not touched for `LOST_SECONDS`, is lost.
        """
        found = self._stored_state(step_id)
        return self._or_lost(step_id, found) if found is not None else None

    def states(self) -> dict[str, StepState]:
        """Read the states of all steps that were begun; files that have not changed are not read again."""
        found, now = {}, time.time_ns()
        with contextlib.suppress(FileNotFoundError), os.scandir(self.root / "state") as entries:
            for entry in entries:
                name, _, suffix = entry.name.rpartition(".")
                if suffix != "json":
                    continue
                with contextlib.suppress(FileNotFoundError):
                    if (state := self._state_of(name, Stamp.of(entry.stat()), now)) is not None:
                        found[name] = self._or_lost(name, state)
        return found

    def _state_of(self, step_id: str, stamp: Stamp, now: int) -> StepState | None:
        """Return the state in a file, which is read again unless this very version was read before.

        Args:
            step_id: id of the step.
            stamp: present version of the file.
            now: time when the files began to be looked at, in nanoseconds since 1970.
        """
        known = self._cached.get(step_id)
        if known is not None and known.stamp == stamp:
            return known.state
        state = self._stored_state(step_id)
        if stamp.is_settled(now):  # else it may be replaced once more by a file of the same stamp
            self._cached[step_id] = _CachedState(stamp, state)
        return state

    def write_state(self, step_id: str, state: StepState) -> None:
        """Store the state of a step.

        Args:
            step_id: id of the step.
            state: its state.

        Raises:
            MmulbenchError: It cannot be written.
        """
        write_atomically(self.root / "state" / f"{step_id}.json", state.model_dump_json(), SWEEPS_FLAG)

    def queue_again(self, step_id: str, seen: StepState, reason: str | None = None) -> None:
        """Re-queue a step, unless a worker holds it or its state has changed since it was read.

        Args:
            step_id: id of the step.
            seen: state that was read before.
            reason: reason why the step waits again.

        Raises:
            MmulbenchError: Its state cannot be written.
        """
        with self.claim(step_id) as free:
            if free and self.state(step_id) == seen:
                self.write_state(step_id, seen.queued(reason))

    @contextlib.contextmanager
    def claim(self, step_id: str) -> Iterator[bool]:
        """Hold a step until the block ends, so that no other worker takes it.

        The claim lapses when the process is killed: for this host at once, for others when this folder has
        been asked for it again and again for a while (see `Lease`).

        Yields:
            Whether this process holds it; False where another does.
        """
        path = self.root / "locks" / f"{step_id}.lease"
        with disk_errors("lock", path, SWEEPS_FLAG):
            lease = self._leases.setdefault(step_id, Lease(path))
            mine = lease.take()
        try:
            yield mine
        finally:
            if mine:
                del self._leases[step_id]
                lease.release()

    def beating(self, step_id: str) -> AbstractContextManager[None]:
        """Touch a step until the block ends, which says that it runs."""
        return _touching(self.root / "state" / f"{step_id}.beat")

    def attended(self) -> AbstractContextManager[None]:
        """Say until the block ends that somebody works on the sweep."""
        return _touching(self.root / "workers" / f"{socket.gethostname()}-{os.getpid()}.alive")

    @property
    def is_attended(self) -> bool:
        """Whether somebody works on the sweep."""
        oldest = self._now() - LOST_SECONDS
        return any(_touched(path) > oldest for path in (self.root / "workers").glob("*.alive"))

    def worker_marker(self, pid: int) -> Path:
        """Return the file in which a worker of this machine names the step that it makes."""
        return self.root / "workers" / f"{socket.gethostname()}-{pid}"

    def cancel(self) -> None:
        """Tell all workers to start nothing more.

        Raises:
            MmulbenchError: The folder cannot be written.
        """
        with disk_errors("write", self.root / "cancelled", SWEEPS_FLAG):
            (self.root / "cancelled").touch()

    def resume(self) -> None:
        """Undo `cancel`: re-queue the steps of workers that died here, and make this sweep the latest.

        Raises:
            MmulbenchError: The folder cannot be written.
        """
        with disk_errors("write", self.root, SWEEPS_FLAG):
            (self.root / "cancelled").unlink(missing_ok=True)
            self._definition.touch()
            self._clear_workers()
        here = f"{socket.gethostname()}:"
        for step_id, state in self.states().items():
            if state.status in ("running", "lost") and state.worker.startswith(here):
                self.queue_again(step_id, state, f"{state.worker} is gone")

    def _clear_workers(self) -> None:
        """Remove what killed workers and supervisors left, unless somebody works on the sweep."""
        if self.is_attended:
            return
        for path in (self.root / "workers").glob("*.alive"):
            path.unlink(missing_ok=True)
        for path in (self.root / "workers").glob(f"{socket.gethostname()}-*"):
            pid = path.name.rpartition("-")[2]
            if pid.isdigit() and not is_running(int(pid)):
                path.unlink(missing_ok=True)

    @property
    def is_cancelled(self) -> bool:
        """Whether workers are to start nothing more."""
        return (self.root / "cancelled").exists()

    @property
    def _definition(self) -> Path:
        return self.root / "sweep.json"

    def _stored_state(self, step_id: str) -> StepState | None:
        try:
            return StepState.model_validate_json(read_regular(self.root / "state" / f"{step_id}.json"))
        except (ValidationError, OSError):
            return None  # a damaged one is done again

    def _or_lost(self, step_id: str, state: StepState) -> StepState:
        if state.status != "running" or self._now() - self._beat(step_id) <= LOST_SECONDS:
            return state
        return state.model_copy(
            update={"status": "lost", "reason": f"{state.worker} was not heard of any more"}
        )

    def _now(self) -> float:
        """Return the time by the clock that beats are of, which may not be this machine's."""
        if self._clock is None:
            self._clock = clock_of(self.root) - time.monotonic()
        return self._clock + time.monotonic()

    def _beat(self, step_id: str) -> float:
        return _touched(self.root / "state" / f"{step_id}.beat")


def find_sweep(sweeps_dir: Path, name: str | None) -> SweepFolder:
    """Return a sweep by its id.

    Args:
        sweeps_dir: folder that keeps all sweeps.
        name: id of the sweep; None for the one that was started last.

    Raises:
        UsageError: There is no sweep, or none of that id.
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
    """Return when a file was last touched, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
