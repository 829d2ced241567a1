"""Keep track of a sweep's Slurm jobs: store them, ask Slurm for their states, and end them."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable
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
from mmulbench.sweeps.slurm_commands import answer, this_cluster
from mmulbench.sweeps.state import ENDED

FILE = "slurm.json"
"""File of what was submitted, in the sweep's folder."""
LOGS = "slurm"
"""Folder of submitit's files, in the sweep's folder: what was submitted, and what the jobs printed."""

WAITS = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "CONFIGURING", "RESV_DEL_HOLD")
"""States of tasks that are to start, for the first time or again."""
RUNS = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING")
"""States of tasks that are under way."""

_LINE = re.compile(
    r"^(?P<job>\d+(?:_\d+)?)\|(?P<state>[^|\n]*)\|(?P<reason>[^|\n]*)\|(?P<command>.*?)(?=^\d+(?:_\d+)?\||\Z)",
    re.MULTILINE | re.DOTALL,
)
"""Line of squeue on one task; the script's path is last, and may have line breaks."""
_ACCOUNTED = re.compile(r"^(?P<job>\d+(?:_\d+)?)\|(?P<state>[^|\n]*)", re.MULTILINE)
"""Line of sacct on one task."""

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
    cluster: str = Field(default="", description="name of the cluster; empty where it did not say")
    tasks: tuple[SlurmTask, ...] = Field(default=(), description="tasks in the order of their submission")

    def job_name(self, sweep_id: str) -> str:
        """Return the name of the jobs."""
        return self.settings.get("job-name", f"mmulbench-{sweep_id}")

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


def other_cluster(folder: SweepFolder, jobs: SlurmJobs) -> str | None:
    """Say that job ids mean nothing here, since the sweep was submitted to another cluster; None otherwise.

    Args:
        folder: folder of the sweep.
        jobs: what was submitted.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    if not jobs.cluster or not unended_tasks(folder, jobs):
        return None
    here = this_cluster().name
    if here in ("", jobs.cluster):
        return None
    return (
        f"sweep {folder.sweep_id} was submitted to the Slurm cluster {jobs.cluster}, and this is {here}: "
        f"give the command there, or, if there is no such cluster any more, delete {folder.root / FILE}"
    )


def unended_tasks(folder: SweepFolder, jobs: SlurmJobs) -> list[SlurmTask]:
    """Return the tasks of which a step has not ended.

    Args:
        folder: folder of the sweep.
        jobs: what was submitted.
    """
    ended = {name for name, state in folder.states().items() if state.status in ENDED}
    return [task for task in jobs.tasks if not ended.issuperset(task.steps)]


def slurm_states(sweep_id: str, arrays: Iterable[str]) -> dict[str, SlurmState]:
    """Return the states of the tasks of some arrays, by their ids, without those that Slurm has forgotten.

    The controller knows tasks for some minutes after their end; the accounting, if there is any, for months.
    A job of such an id that does not run a script of this sweep is another: Slurm's ids began anew.

    Args:
        sweep_id: id of the sweep.
        arrays: ids of the arrays.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    ids = ",".join(sorted(set(arrays), key=int))
    if not ids:
        return {}
    try:
        queue = _queue("--states=all", f"--jobs={ids}")
    except MmulbenchError as error:
        if "Invalid job id" not in str(error):
            raise
        queue = []
    script = re.compile(rf"/{re.escape(sweep_id)}/{LOGS}/[^/]*\.sh\s*")
    found: dict[str, SlurmState] = {}
    known: set[str] = set()
    for line in queue:
        known.add(line["job"].partition("_")[0])
        if script.search(line["command"]):
            found[line["job"]] = SlurmState(line["state"], line["reason"])
    return _accounted(set(ids.split(",")) - known) | found


def _queue(*which: str) -> list[re.Match[str]]:
    """Return what squeue says of tasks, a line each; the options say of which."""
    return list(_LINE.finditer(answer(["squeue", "--noheader", "--array", "--format=%i|%T|%r|%o", *which])))


def _accounted(arrays: Iterable[str]) -> dict[str, SlurmState]:
    """Return what the accounting, if there is any, says of tasks that the controller has forgotten."""
    ids = ",".join(sorted(arrays, key=int))
    if not ids:
        return {}
    fields = ["--noheader", "--parsable2", "--allocations", "--format=JobID,State"]
    try:
        said = answer(["sacct", *fields, f"--jobs={ids}"])
    except MmulbenchError:
        return {}  # many clusters keep no accounting
    states = {line["job"]: SlurmState(line["state"]) for line in _ACCOUNTED.finditer(said)}
    # What the controller does not know does not run, whatever was left in the database.
    return {job: state for job, state in states.items() if not state.is_live}


def cancel_jobs(arrays: Iterable[str]) -> None:
    """Take arrays out of the queue and end what runs of them.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    if ids := sorted(set(arrays), key=int):
        answer(["scancel", "--quiet", *ids])


def end_strays(folder: SweepFolder, jobs: SlurmJobs | None) -> list[str]:
    """End the arrays in the queue that nobody noted, since their submission was cut off; return their ids.

    Args:
        folder: folder of the sweep.
        jobs: what was submitted, as it was noted.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    place = (folder.root / LOGS).resolve()
    if not place.is_dir():
        return []
    script = re.compile(rf"{re.escape(str(place))}/submitted-\w+\.sh\s*")
    queued = {line["job"].partition("_")[0] for line in _queue("--me") if script.match(line["command"])}
    strays = sorted(queued - {task.array for task in (jobs.tasks if jobs is not None else ())}, key=int)
    cancel_jobs(strays)
    return strays


def live_tasks(folder: SweepFolder, jobs: SlurmJobs, patience: float = 0.0) -> list[SlurmTask]:
    """Return the tasks that wait or run.

    Args:
        folder: folder of the sweep.
        jobs: what was submitted.
        patience: seconds to wait for tasks that are being ended: only then does Slurm say whether they are
            over or start again.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    deadline = time.monotonic() + patience
    while True:
        states = slurm_states(folder.sweep_id, (task.array for task in jobs.tasks))
        ending = any(state.state == "COMPLETING" for state in states.values())
        if not ending or time.monotonic() > deadline:
            break
        time.sleep(1)
    return [task for task in jobs.tasks if (state := states.get(task.job)) is not None and state.is_live]
