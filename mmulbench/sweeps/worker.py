"""A worker: takes steps of a sweep that are ready, makes them, and writes what became of each."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.files import write_atomically
from mmulbench.progress import Progress
from mmulbench.sweeps.folder import ENDED, StepState, SweepFolder, now, this_worker
from mmulbench.sweeps.plan import Step
from mmulbench.sweeps.runner import Made, Runner

POLL_SECONDS = 0.5
"""How often a worker looks whether a step has become ready."""


def work(folder: SweepFolder, steps: Sequence[Step], runner: Runner) -> None:
    """Make steps until none is left that this worker could make.

    Steps are taken in their order, as soon as those that they need have ended, well or not: a run whose
    original failed says so in its own record.

    Args:
        folder: of the sweep.
        steps: that this worker may take.
        runner: makes them.
    """
    waiting = list(steps)
    while waiting and not folder.is_cancelled:
        states = folder.states()
        ended = {name for name, state in states.items() if state.status in ENDED}
        waiting = [step for step in waiting if step.step_id not in ended]
        ready = [step for step in waiting if ended.issuperset(_here(step.needs, steps))]
        if not any(_take(folder, step, runner) for step in ready):
            time.sleep(POLL_SECONDS)


def _here(needs: Sequence[str], steps: Sequence[Step]) -> set[str]:
    """What is needed of the steps that this worker knows; others are the business of who submitted it."""
    return set(needs) & {step.step_id for step in steps}


def _take(folder: SweepFolder, step: Step, runner: Runner) -> bool:
    """Make a step unless another worker holds it; whether it was made."""
    with folder.claim(step.step_id) as mine:
        before = folder.state(step.step_id)
        if not mine or (before is not None and before.status in ENDED):
            return False
        attempts = before.attempts + 1 if before is not None else 1
        state = StepState(status="running", attempts=attempts, worker=this_worker(), started=now())
        write_atomically(folder.worker_marker(os.getpid()), step.step_id)
        with folder.beating(step.step_id), printing_to(folder.log(step.step_id)):
            folder.write_state(step.step_id, state)
            print(f"{stamp()} {state.worker} begins, attempt {attempts}: {step.title}")
            ended = _make(step, runner, state)
            print(f"{stamp()} {ended.status}{f': {ended.reason}' if ended.reason else ''}")
            folder.write_state(step.step_id, ended)
        return True


def _make(step: Step, runner: Runner, state: StepState) -> StepState:
    """Make a step and say what became of it; what goes wrong costs this step only."""
    reason: str | None = None
    made = Made()
    try:
        made = runner.make(step)
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


@contextlib.contextmanager
def printing_to(path: Path) -> Iterator[None]:
    """Append to a file what the process prints, its libraries included."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    with path.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
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
