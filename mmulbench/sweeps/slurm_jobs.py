"""Keep track of a sweep's Slurm jobs: store them, ask Slurm for their states, and end them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mmulbench.errors import MmulbenchError
from mmulbench.files import write_atomically
from mmulbench.frozen import Frozen
from mmulbench.records.reading import reading
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.packing import Pack
from mmulbench.sweeps.plan import StepId
from mmulbench.sweeps.state import ENDED, StepState, now

FILE = "slurm.json"
"""File of what was submitted, in the sweep's folder."""
LOGS = "slurm"
"""Folder of submitit's files, in the sweep's folder: what was submitted, and what the jobs printed."""
PATIENCE_SECONDS = 60.0
"""Time limit of Slurm's commands, which try for a while to reach its controller before they give up."""

WAITS = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "CONFIGURING", "RESV_DEL_HOLD")
"""States of tasks that are to start, for the first time or again."""
RUNS = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING")
"""States of tasks that are under way."""

JobId = Annotated[str, Field(pattern="^[0-9]+(_[0-9]+)?$")]
"""Id of a task, such as ``12_0``, or ``12`` where it is the only one of its array."""


class SlurmTask(Frozen):
    """Describes one task of a job array.

    Attributes:
        job: id of the task, such as ``12_0``.
        steps: ids of the steps that it makes.
    """

    job: JobId
    steps: tuple[StepId, ...]

    @property
    def array(self) -> str:
        """Id of the job array."""
        return self.job.partition("_")[0]


class SlurmJobs(Frozen):
    """Holds what was submitted for a sweep; a later task of a step takes the place of an earlier one."""

    settings: dict[str, str] = Field(description="options as sbatch names them; time in minutes")
    pack: Pack = Field(description="number of runs in one task, or of minutes: 10 or 30m")
    timeout: float | None = Field(default=None, description="seconds that a step may take")
    tasks: tuple[SlurmTask, ...] = Field(default=(), description="tasks in the order of their submission")

    def task_of_step(self) -> dict[str, SlurmTask]:
        """Return the latest task of each step, by the step's id."""
        return {step: task for task in self.tasks for step in task.steps}


@dataclass(frozen=True)
class SlurmState:
    """Holds what Slurm says of a task.

    Attributes:
        state: state such as ``PENDING``, ``RUNNING``, ``TIMEOUT`` or ``CANCELLED by 0``.
        reason: reason why the task waits.
    """

    state: str
    reason: str = ""

    @property
    def waits(self) -> bool:
        """Whether the task is to start, for the first time or again."""
        return self.state in WAITS

    @property
    def runs(self) -> bool:
        """Whether the task is under way."""
        return self.state in RUNS

    @property
    def is_live(self) -> bool:
        """Whether the task waits or runs."""
        return self.waits or self.runs


def read_jobs(folder: SweepFolder) -> SlurmJobs | None:
    """Read what was submitted for a sweep; None where nothing was.

    Raises:
        MmulbenchError: It cannot be read.
    """
    path = folder.root / FILE
    advice = "it is damaged; end the sweep's jobs with scancel and delete the file"
    with reading(str(path), advice), contextlib.suppress(FileNotFoundError):
        return SlurmJobs.model_validate_json(path.read_bytes())
    return None


def write_jobs(folder: SweepFolder, jobs: SlurmJobs) -> None:
    """Store what was submitted.

    Args:
        folder: folder of the sweep.
        jobs: what was submitted.

    Raises:
        MmulbenchError: It cannot be written.
    """
    write_atomically(folder.root / FILE, jobs.model_dump_json(indent=1), SWEEPS_FLAG)


def slurm_states(arrays: Iterable[str]) -> dict[str, SlurmState]:
    """Return the states of the tasks of some arrays, by their ids, without those that Slurm has forgotten.

    The controller knows tasks for some minutes after their end; the accounting, if there is any, for months.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    ids = ",".join(sorted(set(arrays), key=int))
    if not ids:
        return {}
    command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i|%T|%r", f"--jobs={ids}"]
    try:
        found = _parsed_states(_answer(command))
    except MmulbenchError as error:
        if "Invalid job id" not in str(error):
            raise
        found = {}
    forgotten = set(ids.split(",")) - {job.partition("_")[0] for job in found}
    if forgotten:
        listed = ",".join(sorted(forgotten, key=int))
        command = [
            "sacct",
            "--noheader",
            "--parsable2",
            "--allocations",
            "--format=JobID,State",
            f"--jobs={listed}",
        ]
        try:
            found |= _parsed_states(_answer(command))
        except MmulbenchError:
            return found  # many clusters keep no accounting
    return found


def cancel_jobs(arrays: Iterable[str]) -> None:
    """Take arrays out of the queue and end what runs of them.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    if ids := sorted(set(arrays), key=int):
        _answer(["scancel", "--quiet", *ids])


def live_tasks(jobs: SlurmJobs, patience: float = 0.0) -> list[SlurmTask]:
    """Return the tasks that wait or run.

    Args:
        jobs: what was submitted.
        patience: seconds to wait for tasks that are being ended: only then does Slurm say whether they are
            over or start again.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    deadline = time.monotonic() + patience
    while True:
        states = slurm_states(task.array for task in jobs.tasks)
        ending = any(state.state == "COMPLETING" for state in states.values())
        if not ending or time.monotonic() > deadline:
            break
        time.sleep(1)
    return [task for task in jobs.tasks if (state := states.get(task.job)) is not None and state.is_live]


@dataclass(frozen=True)
class StepStates:
    """Holds the states of a sweep's steps, as its folder and Slurm together tell.

    Attributes:
        states: states of the steps that were begun or whose Slurm job is over, by id.
        live: whether Slurm jobs wait or run, as far as is known.
        notes: lines for the user, on why jobs wait or that Slurm does not answer.
    """

    states: Mapping[str, StepState]
    live: bool = False
    notes: Sequence[str] = ()


def with_slurm(folder: SweepFolder) -> StepStates:
    """Return the states of a sweep's steps, corrected by what Slurm says of those that have not ended."""
    states = folder.states()
    jobs = read_jobs(folder)
    tasks = jobs.task_of_step() if jobs is not None else {}
    tasks = {step: task for step, task in tasks.items() if not _has_ended(states.get(step))}
    if not tasks:
        return StepStates(states)
    try:
        answers = slurm_states(task.array for task in tasks.values())
    except MmulbenchError as error:
        return StepStates(states, True, [f"{error}; this is what the sweep's folder tells"])
    states = folder.states()  # what ended while Slurm was asked
    found = dict(states)
    for step, task in tasks.items():
        if not _has_ended(states.get(step)):
            corrected = _corrected(folder, task, states.get(step), answers.get(task.job))
            found.pop(step, None)
            if corrected is not None:
                found[step] = corrected
    jobs_of_steps = {task.job for task in tasks.values()}
    known = [answer for job in jobs_of_steps if (answer := answers.get(job)) is not None]
    waiting = Counter(answer.reason for answer in known if answer.waits)
    notes = [f"waiting in Slurm's queue: {count} ({reason})" for reason, count in waiting.most_common()]
    return StepStates(found, any(answer.is_live for answer in known), notes)


def _has_ended(state: StepState | None) -> bool:
    return state is not None and state.status in ENDED


def _corrected(
    folder: SweepFolder, task: SlurmTask, state: StepState | None, answer: SlurmState | None
) -> StepState | None:
    """Return the state of a step that has not ended; None where it was never begun and waits."""
    if answer is not None and answer.waits:
        return state.queued(f"Slurm job {task.job} waits: {answer.reason}") if state is not None else None
    if answer is not None and answer.runs:
        return state.queued() if state is not None and state.status == "lost" else state
    if folder.is_cancelled:
        return state.queued("cancelled") if state is not None else None
    said = answer.state if answer is not None else "not known any more"
    log = folder.root / LOGS / f"{task.job}_0_log.out"
    reason = f"Slurm job {task.job} is over ({said}); what it printed is in {log}"
    base = state or StepState(status="lost", attempts=0, worker=f"Slurm job {task.job}", started=now())
    return base.model_copy(update={"status": "lost", "reason": reason})


def _parsed_states(text: str) -> dict[str, SlurmState]:
    """Read answers of squeue and sacct, which have one line for each task and bars between fields."""
    return {
        job: SlurmState(state, "".join(rest))
        for job, state, *rest in (line.split("|") for line in text.splitlines())
    }


def _answer(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except FileNotFoundError as error:
        raise MmulbenchError(f"there is no {command[0]} on this machine, so Slurm cannot be asked") from error
    except subprocess.TimeoutExpired as error:
        raise MmulbenchError(
            f"Slurm does not answer ({command[0]} took over {PATIENCE_SECONDS:g} s)"
        ) from error
    if done.returncode:
        raise MmulbenchError(f"Slurm does not answer: {reasons(done.stderr)}")
    return done.stdout


def reasons(text: str) -> str:
    """Return the reasons that Slurm's commands give in one line, without ``sbatch: error:`` and the like."""
    found = [re.sub(r"^.*?(error|fatal): ", "", line).strip() for line in text.splitlines() if line.strip()]
    return "; ".join(found) or "no reason given"
