"""Have steps made by Slurm: job arrays that wait for each other, so that no process here has to stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field
from rich.console import Console

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.store import ResultsStore
from mmulbench.sweeps.executor import Executor, Handover, Seconds, Selection
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.packing import ONE_EACH, Pack, is_by_minutes, pack_of_models, packed
from mmulbench.sweeps.plan import STEP_KINDS, Plan, StepKind, step_seconds
from mmulbench.sweeps.slurm_batch import JobArray, require_plain_path, require_slurm
from mmulbench.sweeps.slurm_commands import FullQueue, RefusedJobs, this_cluster
from mmulbench.sweeps.slurm_jobs import (
    FILE,
    SlurmJobs,
    SlurmTask,
    cancel_jobs,
    end_strays,
    live_tasks,
    other_cluster,
    read_jobs,
    write_jobs,
)
from mmulbench.sweeps.slurm_settings import checked_settings
from mmulbench.sweeps.state import ENDED, StepState

ENDING_SECONDS = 60.0
"""Longest wait for tasks that are being ended; Slurm kills them after 30 seconds unless set otherwise."""

RUN_KINDS: tuple[StepKind, ...] = ("shadow", "run")
"""Kinds of steps that are short beside the training of a model."""


class SlurmExecutor(Executor):
    """Has steps made by Slurm, as job arrays.

    Attributes:
        name: name of the executor.
        sbatch: options as ``sbatch`` names them; ``time`` in minutes, and ``parallel`` tasks at once.
        pack: number of runs in one task, one after the other: ``10``, or as many as are expected to take
            ``30m``.
        timeout: seconds that a step may take.
    """

    name: Literal["slurm"] = "slurm"
    sbatch: Annotated[dict[str, str], AfterValidator(checked_settings)] = Field(default_factory=dict)
    pack: Pack = ONE_EACH
    timeout: Seconds | None = None

    def require(self) -> None:
        """Check that this machine can submit jobs."""
        require_slurm()

    def run(self, selection: Selection, *, quiet: bool) -> Handover:
        """Submit the chosen steps that are missing, as far as Slurm takes them, and leave."""
        seconds = {}
        if is_by_minutes(self.pack):
            records, _ = ResultsStore(selection.options.results_dir).load_all()
            seconds = step_seconds(selection.chosen.steps, records)
        submitted = submit_slurm(selection.folder, selection.chosen, self, seconds)
        console = Console(stderr=True)
        for line in submitted.lines():
            console.print(line, highlight=False, soft_wrap=True, markup=False)
        return Handover.SUBMITTED if submitted.arrays else Handover.UNCHANGED


class Submission(NamedTuple):
    """Holds what came of a submission.

    Attributes:
        arrays: ids of the new job arrays.
        left: number of steps for which Slurm has no room.
        reason: reason why it has none.
        strays: ids of job arrays that a submission which was cut off had left, and that were ended.
    """

    arrays: Sequence[str]
    left: int = 0
    reason: str = ""
    strays: Sequence[str] = ()

    def lines(self) -> list[str]:
        """Return what to tell the user."""
        lines = []
        if self.strays:
            lines.append(f"ended Slurm jobs {', '.join(self.strays)}, left by a submission that was cut off")
        if self.arrays:
            lines.append(f"submitted as Slurm jobs {', '.join(self.arrays)}; this terminal may be closed")
        elif not self.left:
            lines.append("there is nothing to submit; this terminal may be closed")
        if self.left:
            lines.append(
                f"Slurm takes no more jobs now ({self.reason}); not submitted yet: {self.left} steps; the "
                "same command, or mmulbench retry, goes on when jobs have ended; --pack 10 makes fewer jobs"
            )
        return lines


def submit_slurm(
    folder: SweepFolder, plan: Plan, executor: SlurmExecutor, seconds: Mapping[str, float]
) -> Submission:
    """Submit every step that has not ended and is not in Slurm's queue already, as far as Slurm takes them.

    Args:
        folder: folder of the sweep.
        plan: steps that are to be made.
        executor: settings of the jobs.
        seconds: time that each step is expected to take, as far as it is known.

    Raises:
        UsageError: Slurm is not installed, or the sweep is being submitted already.
        MmulbenchError: Slurm refuses the jobs, and nothing new is left in its queue; or the sweep's jobs are
            those of another cluster.
    """
    require_slurm()
    require_plain_path(folder)
    with folder.claim("slurm") as mine:
        if not mine:
            raise UsageError(f"sweep {folder.sweep_id} is being submitted by another process")
        before = read_jobs(folder)
        cluster = this_cluster()
        jobs = SlurmJobs(
            settings=dict(executor.sbatch),
            pack=executor.pack,
            timeout=executor.timeout,
            cluster=cluster.name,
            tasks=_earlier_tasks(folder, before, cluster.name),
        )
        strays = end_strays(folder, jobs)
        work = _Work(folder, plan, executor, seconds, live_tasks(folder, jobs, ENDING_SECONDS))
        try:
            full = work.submit(jobs, cluster.array_size)
        except BaseException:
            cancel_jobs(task.array for task in work.new)
            if before is not None:
                write_jobs(folder, before)
            else:
                (folder.root / FILE).unlink(missing_ok=True)
            raise
        arrays = list(dict.fromkeys(task.array for task in work.new))
        return Submission(arrays, work.left, "" if full is None else str(full), strays)


def _earlier_tasks(folder: SweepFolder, before: SlurmJobs | None, cluster: str) -> tuple[SlurmTask, ...]:
    """Return the tasks that were submitted to this cluster before.

    Raises:
        MmulbenchError: They were submitted to another, and not all have ended.
    """
    if before is None:
        return ()
    if (elsewhere := other_cluster(folder, before)) is not None:
        raise MmulbenchError(elsewhere)
    return before.tasks if before.cluster in ("", cluster) else ()


def steps_ahead(task: SlurmTask, states: Mapping[str, StepState]) -> tuple[str, ...]:
    """Return the steps that a live task makes or will make: it does not come back to one behind it.

    That one has failed and was queued again, while the task makes a later one. Where Slurm starts the task
    anew, whoever takes the step first makes it.

    Args:
        task: task that waits or runs.
        states: states of the steps that were begun, by id.
    """
    begun = [
        place for place, name in enumerate(task.steps) if name in states and states[name].status != "queued"
    ]
    return task.steps[max(begun, default=0) :]


class _Work:
    """Submits what is missing of a plan.

    Args:
        folder: folder of the sweep.
        plan: steps that are to be made.
        executor: settings of the jobs.
        seconds: time that each step is expected to take, as far as it is known.
        live: tasks in the queue that were submitted earlier.
    """

    def __init__(
        self,
        folder: SweepFolder,
        plan: Plan,
        executor: SlurmExecutor,
        seconds: Mapping[str, float],
        live: Sequence[SlurmTask],
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._executor = executor
        self._live = live
        self.new: list[SlurmTask] = []
        states = folder.states()
        ended = {name for name, state in states.items() if state.status in ENDED}
        done = ended.union(*(steps_ahead(task, states) for task in live))
        missing = {
            kind: [step.step_id for step in plan.of(kind) if step.step_id not in done] for kind in STEP_KINDS
        }
        self._missing = sum(map(len, missing.values()))
        pack = executor.pack
        self._tasks = {kind: packed(missing[kind], pack, seconds) for kind in RUN_KINDS}
        of_runs = sum(map(len, self._tasks.values()))
        for kind in set(STEP_KINDS).difference(RUN_KINDS):
            size = pack_of_models(pack, len(missing[kind]), of_runs)
            self._tasks[kind] = packed(missing[kind], size, seconds)

    @property
    def left(self) -> int:
        """Number of steps that are still to be submitted."""
        return self._missing - sum(len(task.steps) for task in self.new)

    def submit(self, jobs: SlurmJobs, array_size: int) -> FullQueue | None:
        """Submit array after array, and store each; return why not all could be.

        Args:
            jobs: what was submitted before.
            array_size: largest number of tasks in an array.

        Raises:
            MmulbenchError: Slurm refuses an array, or the first one for want of room.
        """
        try:
            for tasks in self._arrays(array_size):
                self.new += tasks
                stored = jobs.model_copy(update={"tasks": (*jobs.tasks, *self.new)})
                write_jobs(self._folder, stored)
        except FullQueue as full:
            if self.new or self._live:
                return full
            advice = "it has no room for a single job: try again when jobs of yours have ended"
            raise MmulbenchError(f"{self._refused(full)}; {advice}") from full
        except RefusedJobs as error:
            raise MmulbenchError(self._refused(error)) from error
        return None

    def _arrays(self, array_size: int) -> Iterator[list[SlurmTask]]:
        """Submit kind after kind, each after those before, and yield the tasks of each array."""
        earlier: set[str] = set()
        for kind in STEP_KINDS:
            known = (*self._live, *self.new)
            after = sorted({task.array for task in known if earlier.intersection(task.steps)}, key=int)
            yield from in_arrays(self._tasks[kind], array_size, partial(self._submit, after=after))
            earlier.update(step.step_id for step in self._plan.of(kind))

    def _submit(self, tasks: Sequence[Sequence[str]], *, after: Sequence[str]) -> list[SlurmTask]:
        executor = self._executor
        return JobArray(self._folder, tasks, executor.sbatch, executor.timeout, after).submit()

    def _refused(self, error: RefusedJobs) -> str:
        asked = ", ".join(f"{key}={' '.join(value.split())}" for key, value in self._executor.sbatch.items())
        return f"Slurm refused the jobs{f' ({asked})' if asked else ''}: {error}"


def in_arrays(
    tasks: Sequence[Sequence[str]],
    array_size: int,
    submit: Callable[[Sequence[Sequence[str]]], list[SlurmTask]],
) -> Iterator[list[SlurmTask]]:
    """Submit tasks in arrays as large as Slurm has room for, and yield the tasks of each.

    Once there is no room for an array, each try is with half as many: together they fill what is left.

    Args:
        tasks: ids of the steps of each task.
        array_size: largest number of tasks in an array.
        submit: function that submits one array.

    Raises:
        FullQueue: There is no room for all.
    """
    size = array_size
    full: FullQueue | None = None
    while tasks:
        size = min(size, len(tasks))
        try:
            submitted = submit(tasks[:size])
        except FullQueue as error:
            full = error
        else:
            yield submitted
            tasks = tasks[size:]
        if full is not None:
            size //= 2
            if tasks and not size:
                raise full
