"""A worker: takes steps of a sweep that are ready, makes them, and writes what became of each."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmulbench.errors import MmulbenchError
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
        with folder.beating(step.step_id):
            folder.write_state(step.step_id, state)
            folder.write_state(step.step_id, _make(folder, step, runner, state))
        return True


def _make(folder: SweepFolder, step: Step, runner: Runner, state: StepState) -> StepState:
    """Make a step and say what became of it; what goes wrong costs this step only."""
    reason: str | None = None
    made = Made()
    with _logged(folder.log(step.step_id), step) as log:
        try:
            made = runner.make(step)
        except MmulbenchError as error:
            reason = str(error)
        except Exception as error:
            log.write_text(log.read_text() + traceback.format_exc())
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
def _logged(path: Path, step: Step) -> Iterator[Path]:
    """Append when a step begins and ends to its log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{now().isoformat(timespec='seconds')} {this_worker()} begins: {step.title}\n")
    yield path
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{now().isoformat(timespec='seconds')} ends\n")


class LogProgress(Progress):
    """Writes stages and notes to standard output, which is a log."""

    def stage(self, name: str) -> None:
        """Say which stage begins."""
        print(f"{now().isoformat(timespec='seconds')} {name}", flush=True)

    def note(self, line: str) -> None:
        """Print one line."""
        print(line, flush=True)
