"""A worker: takes steps of a sweep that are ready, makes them, and writes what became of each."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmulbench.errors import MmulbenchError
from mmulbench.files import disk_errors, write_atomically
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.plan import Step
from mmulbench.sweeps.state import ENDED, StepState, now, this_worker

POLL_SECONDS = 0.5
"""How often a worker looks whether a step has become ready."""


@dataclass(frozen=True)
class Made:
    """What came of a step.

    Attributes:
        record: of a run; None for an original or a retrain.
        path: of the record.
    """

    record: RunResult | None = None
    path: Path | None = None


class Maker(Protocol):
    """Makes steps."""

    def make(self, step: Step, planned: Path, *, again: bool, blocked: str | None) -> Made:
        """Make a step.

        Args:
            step: the step.
            planned: where to write the record that a run gets whose worker is ended.
            again: whether it was begun before.
            blocked: why it cannot be made, so that only its record is to be written.
        """


class Work:
    """What is left to do of some steps.

    Args:
        folder: of the sweep.
        steps: that this worker may take. What they need besides is the business of who chose them.
        maker: makes them.
    """

    def __init__(self, folder: SweepFolder, steps: Sequence[Step], maker: Maker) -> None:
        self._folder = folder
        self._maker = maker
        self._waiting = {step.step_id: step for step in steps}
        self._known = frozenset(self._waiting)
        self._ended: dict[str, StepState] = {}

    def run(self) -> bool:
        """Make steps until none is left that this worker could make, in their order, as they become ready.

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
        """Whether what a step needs has ended; looked up once a round, however many steps need it."""
        for need in self._known.intersection(step.needs):
            if need in self._not_yet or self._ended_state(need) is None:
                self._not_yet.add(need)
                return False
        return True

    def _ended_state(self, step_id: str) -> StepState | None:
        """The state of a step that has ended, else None; then it is not read again: there may be 10,000."""
        if step_id not in self._ended:
            state = self._folder.state(step_id)
            if state is None or state.status not in ENDED:
                return None
            self._ended[step_id] = state
        return self._ended[step_id]

    def _take(self, step: Step) -> StepState | None:
        """Make a step; None where another worker has it."""
        with self._folder.claim(step.step_id) as mine:
            before = self._folder.state(step.step_id)
            # What says that it runs is left alone even where its worker was just killed: who looks after
            # that worker says what became of the step, or else it is lost after a while.
            if not mine or (before is not None and before.status in (*ENDED, "running")):
                return None
            return self._make(step, before.attempts + 1 if before is not None else 1)

    def _make(self, step: Step, attempts: int) -> StepState:
        folder = self._folder
        state = StepState(status="running", attempts=attempts, worker=this_worker(), started=now())
        write_atomically(folder.worker_marker(os.getpid()), step.step_id, SWEEPS_FLAG)
        with folder.beating(step.step_id), printing_to(folder.log(step.step_id)):
            folder.write_state(step.step_id, state)
            print(f"{stamp()} {state.worker} begins, attempt {attempts}: {step.title}")
            ended = self._outcome(step, state)
            print(f"{stamp()} {ended.status}{f': {ended.reason}' if ended.reason else ''}")
            folder.write_state(step.step_id, ended)
        folder.planned(step.step_id).unlink(missing_ok=True)
        return ended

    def _outcome(self, step: Step, state: StepState) -> StepState:
        """Make a step and say what became of it; what goes wrong costs this step only."""
        made, reason = Made(), None
        planned = self._folder.planned(step.step_id)
        try:
            made = self._maker.make(step, planned, again=state.attempts > 1, blocked=self._blocked(step))
        except MmulbenchError as error:
            reason = str(error)
        except Exception as error:
            traceback.print_exc()
            reason = " ".join(f"{type(error).__name__}: {error}".split())
        record = made.record
        return state.model_copy(
            update={
                "status": "failed" if reason else record.status if record is not None else "done",
                "ended": now(),
                "reason": reason or (record.reason if record is not None else None),
                "record": str(made.path) if made.path is not None else None,
            }
        )

    def _blocked(self, step: Step) -> str | None:
        """Why a step would only end as what it needs did, whose worker was ended."""
        for need in self._known.intersection(step.needs):
            state = self._ended_state(need)
            if state is not None and state.killed:
                return f"what it needs was not made: step {need} {state.reason}"
        return None


def _may_be_spoiled() -> bool:
    """Whether a failure may have broken this process, as a failed assertion on a GPU does."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()


@contextlib.contextmanager
def printing_to(path: Path) -> Iterator[None]:
    """Append to a file what the process prints, its libraries included.

    Raises:
        MmulbenchError: when it cannot be opened.
    """
    with disk_errors("write", path, SWEEPS_FLAG):
        file = path.open("a", encoding="utf-8", buffering=1)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    for stream in (1, 2):  # what compiled libraries and other processes print
        os.dup2(file.fileno(), stream)
    try:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            yield
    finally:
        with contextlib.suppress(OSError):  # a full disk costs the log, not the step
            file.close()
        for stream, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, stream)
            os.close(copy)


def stamp() -> str:
    """The time, for a log."""
    return now().isoformat(timespec="seconds")


class LogProgress(Progress):
    """Writes stages and notes to standard output, which is a log."""

    def stage(self, name: str) -> None:
        """Say which stage begins."""
        print(f"{stamp()} {name}", flush=True)

    def note(self, line: str) -> None:
        """Print one line."""
        print(line, flush=True)
