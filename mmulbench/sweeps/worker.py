"""Take steps of a sweep that are ready, make them, and write what became of each: the work of a worker."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmulbench.errors import MmulbenchError, traceback_of
from mmulbench.failure import located
from mmulbench.files import disk_errors, write_atomically
from mmulbench.plain_text import one_line, visible
from mmulbench.progress import Lines
from mmulbench.records.schema import RunResult
from mmulbench.streams import patient
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.logs import BEGINS
from mmulbench.sweeps.plan import Step
from mmulbench.sweeps.state import ENDED, StepState, now, this_worker

POLL_SECONDS = 0.5
"""Time between two looks whether a step has become ready."""


@dataclass(frozen=True)
class StepOutcome:
    """Holds the result of a step.

    Attributes:
        record: record of a run; None for a model.
        path: file of the record.
    """

    record: RunResult | None = None
    path: Path | None = None


class StepMaker(Protocol):
    """Makes steps."""

    def make(self, step: Step, planned: Path, *, again: bool, blocked: str | None) -> StepOutcome:
        """Make a step.

        Args:
            step: the step.
            planned: file for the record that a run gets if its worker is killed.
            again: whether the step was begun before.
            blocked: reason why the step cannot be made, so that only its record is to be written.
        """


class StepQueue:
    """Holds the steps that a worker still has to make.

    Args:
        folder: folder of the sweep.
        steps: steps that this worker may take; what they need besides is assumed to be there.
        maker: what makes the steps.
    """

    def __init__(self, folder: SweepFolder, steps: Sequence[Step], maker: StepMaker) -> None:
        self._folder = folder
        self._maker = maker
        self._waiting = {step.step_id: step for step in steps}
        self._known = frozenset(self._waiting)
        self._ended: dict[str, StepState] = {}

    def run(self) -> bool:
        """Make steps in their order as they become ready, until this worker can make no more.

        A step is ready when those that it needs have ended, well or not: a run whose original failed says so
        in its own record.

        Returns:
            Whether a new process should go on, since a failure may have spoiled this one.
        """
        while self._waiting and not self._folder.is_cancelled:
            made = False
            self._not_yet: set[str] = set()
            for step in list(self._waiting.values()):
                if self._folder.is_cancelled:
                    return False
                if not self._is_ready(step):
                    continue
                if self._ended_state(step.step_id) is None:
                    state = self._take(step)
                    if state is None:
                        continue
                    made = True
                    if state.status == "failed" and _may_be_spoiled():
                        return len(self._waiting) > 1
                del self._waiting[step.step_id]
            if self._waiting and not made:
                time.sleep(POLL_SECONDS)
        return False

    def _is_ready(self, step: Step) -> bool:
        """Tell whether what a step needs has ended, which is looked up once a round."""
        for need in self._known.intersection(step.needs):
            if need in self._not_yet or self._ended_state(need) is None:
                self._not_yet.add(need)
                return False
        return True

    def _ended_state(self, step_id: str) -> StepState | None:
        """Return the state of a step that has ended, which is read once: there may be 10,000 steps."""
        if step_id not in self._ended:
            state = self._folder.state(step_id)
            if state is None or state.status not in ENDED:
                return None
            self._ended[step_id] = state
        return self._ended[step_id]

    def _take(self, step: Step) -> StepState | None:
        """Make a step, and return its state; None where another worker has it."""
        with self._folder.claim(step.step_id) as mine:
            before = self._folder.state(step.step_id)
            # A running step is left alone even if its worker was just killed: the worker's supervisor writes
            # what became of the step, or else it counts as lost after a while.
            if not mine or (before is not None and before.status in (*ENDED, "running")):
                return None
            return self._make(step, before.attempts + 1 if before is not None else 1)

    def _make(self, step: Step, attempts: int) -> StepState:
        folder = self._folder
        state = StepState(status="running", attempts=attempts, worker=this_worker(), started=now())
        write_atomically(folder.worker_marker(os.getpid()), step.step_id, SWEEPS_FLAG)
        with folder.beating(step.step_id), printing_to(folder.log(step.step_id)):
            folder.write_state(step.step_id, state)
            print(f"{stamp()} {state.worker}{BEGINS}{attempts}: {one_line(step.title)}")
            ended = self._attempt(step, state)
            why = f": {one_line(ended.reason)}" if ended.reason else ""
            print(f"{stamp()} {ended.status}{why}")
            folder.write_state(step.step_id, ended)
        folder.planned(step.step_id).unlink(missing_ok=True)
        return ended

    def _attempt(self, step: Step, state: StepState) -> StepState:
        """Make a step and return its state then; a failure costs this step only."""
        outcome, reason = StepOutcome(), None
        planned = self._folder.planned(step.step_id)
        try:
            outcome = self._maker.make(step, planned, again=state.attempts > 1, blocked=self._blocked(step))
        except Exception as error:
            for line in traceback_of(error).splitlines():
                print(visible(line))
            reason = str(error) if isinstance(error, MmulbenchError) else located(error)
        record = outcome.record
        return state.model_copy(
            update={
                "status": "failed" if reason else record.status if record is not None else "done",
                "ended": now(),
                "reason": reason or (record.reason if record is not None else None),
                "record": str(outcome.path) if outcome.path is not None else None,
            }
        )

    def _blocked(self, step: Step) -> str | None:
        """Return why a step cannot be made: the worker of a step that it needs was killed."""
        for need in self._known.intersection(step.needs):
            state = self._ended_state(need)
            if state is not None and state.killed:
                return f"what it needs was not made: step {need} {state.reason}"
        return None


def _may_be_spoiled() -> bool:
    """Tell whether a failure may have broken this process, as a failed assertion on a GPU does."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()


@contextlib.contextmanager
def printing_to(path: Path) -> Iterator[None]:
    """Append to a file what the process and its libraries print, until the block ends.

    Raises:
        MmulbenchError: The file cannot be opened.
    """
    with disk_errors("write", path, SWEEPS_FLAG):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    file = patient(descriptor, "utf-8", "replace", closefd=True)  # a full disk costs the log, not the step
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    for stream in (1, 2):  # compiled libraries and other processes write to these
        os.dup2(file.fileno(), stream)
    try:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            yield
    finally:
        file.close()
        for stream, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)


def stamp() -> str:
    """Return the time as logs give it."""
    return now().isoformat(timespec="seconds")


class LogProgress(Lines):
    """Writes stages, how far they are, notes and tracebacks to standard output, which is a log."""

    debug = True

    def say(self, line: str) -> None:
        """Write one line with the time."""
        print(f"{stamp()} {visible(line)}", flush=True)

    def note(self, line: str) -> None:
        """Write one line."""
        print(visible(line), flush=True)
