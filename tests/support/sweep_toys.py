"""A small sweep on disk, and a worker for it that needs no model."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmulbench.records.schema import Environment, RunResult, RunSpec
from mmulbench.records.store import ResultsStore
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.grid import Job
from mmulbench.sweeps.plan import Plan, Step
from mmulbench.sweeps.state import StepState, Sweep, now
from mmulbench.sweeps.supervisor import GO_ON
from mmulbench.sweeps.worker import StepOutcome, StepQueue

ORIGINAL = "0" * 12

PATIENCE = 300
"""Seconds for anything that another process does; a busy machine is slow."""


def until(reached: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


def make_sweep(root: Path, *methods: str) -> tuple[SweepFolder, Plan]:
    """A sweep of one run for each method, all after one original, in ``root/sweeps``."""
    jobs = [Job(task="emoji", method=name, seed=1) for name in methods]
    runs = [
        Step(kind="run", job=job, step_id=f"{number:012x}", needs=(ORIGINAL,))
        for number, job in enumerate(jobs, 1)
    ]
    plan = Plan((Step(kind="original", job=jobs[0], step_id=ORIGINAL), *runs))
    folder = SweepFolder(root / "sweeps" / "1234abcd")
    sweep = Sweep(
        sweep_id="1234abcd",
        created=now(),
        command="mmulbench sweep",
        cwd=str(root),
        options=RunOptions(results_dir=root / "results"),
        steps=plan,
    )
    assert folder.create(sweep)
    return folder, plan


def state(status: str = "running", **fields: Any) -> StepState:
    given: dict[str, Any] = {"attempts": 1, "worker": "elsewhere:1", "started": now(), **fields}
    return StepState(**{"status": status, **given})


def record_of(step: Step, **fields: Any) -> RunResult:
    """A record of a step's run."""
    spec = RunSpec(
        task=step.job.task,
        backbone="toy",
        method=step.job.method,
        forget_size=1,
        seed=step.job.seed,
        data_fingerprint="none",
    )
    environment = Environment(
        mmulbench="0", git_commit=None, python="3", platform="toy", device="cpu", threads=1, packages={}
    )
    given: dict[str, Any] = {"status": "done", "command": "", "started": datetime.now(UTC), **fields}
    return RunResult(
        run_id=spec.run_id, spec=spec, environment=environment, finished=datetime.now(UTC), **given
    )


class Toy:
    """Does what the method's name says; writes every record that it makes to the store."""

    def __init__(self, root: Path) -> None:
        self.store = ResultsStore(root / "results")
        self._meeting = root / "meeting"

    def make(self, step: Step, planned: Path, *, again: bool, blocked: str | None) -> StepOutcome:
        record = record_of(step)
        failed = record.model_copy(update={"status": "failed", "reason": blocked or "was ended"})
        if step.kind == "run" and blocked is None:
            planned.write_text(failed.model_dump_json())
        what = "works" if step.kind != "run" or again or blocked else step.job.method
        if what == "raises":
            raise ValueError("over\nand over")
        if what == "hangs":
            time.sleep(2 * PATIENCE)
        if what.startswith("meets"):
            self._meet()
        if what == "exits":
            os._exit(7)
        if what == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "records_and_dies":
            self.store.write(record)
            os.kill(os.getpid(), signal.SIGKILL)
        if step.kind != "run":
            return StepOutcome()
        made = record if blocked is None else failed
        return StepOutcome(made, self.store.write(made))

    def _meet(self) -> None:
        """Wait until another worker makes such a step too."""
        self._meeting.mkdir(exist_ok=True)
        (self._meeting / str(os.getpid())).touch()
        until(lambda: len(list(self._meeting.iterdir())) > 1, "another worker")


def main() -> int:
    """A worker: ``python sweep_toys.py ROOT [one]``; with ``one`` each process makes one step."""
    root = Path(sys.argv[1])
    folder = SweepFolder(root / "sweeps" / "1234abcd")
    steps = folder.read().plan.steps
    if "one" not in sys.argv:
        StepQueue(folder, steps, Toy(root)).run()
        return 0
    ended = folder.states()
    left = [step for step in steps if step.step_id not in ended]
    StepQueue(folder, left[:1], Toy(root)).run()
    return GO_ON if left[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
