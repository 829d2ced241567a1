"""Have steps made by Slurm: job arrays that wait for each other, so that no process here has to stay."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from rich.console import Console

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import disk_errors
from mmulbench.records.store import ResultsStore
from mmulbench.sweeps.executor import Executor, Handover, Seconds, Selection
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.packing import ONE_EACH, Pack, is_by_minutes, packed
from mmulbench.sweeps.plan import STEP_KINDS, Plan, step_seconds
from mmulbench.sweeps.slurm_jobs import (
    FILE,
    LOGS,
    SlurmJobs,
    SlurmTask,
    cancel_jobs,
    live_tasks,
    read_jobs,
    reasons,
    write_jobs,
)
from mmulbench.sweeps.slurm_settings import MINUTES, checked_settings
from mmulbench.sweeps.slurm_task import SlurmSteps
from mmulbench.sweeps.state import ENDED

SPARE_STARTS = 1
"""Number of times a task may reach its time limit, besides once for each step, before it is given up."""

ENDING_SECONDS = 60.0
"""Longest wait for tasks that are being ended; Slurm kills them after 30 seconds unless set otherwise."""

USUAL_ARRAY_SIZE = 1000
"""Largest number of tasks in a job array, unless the cluster sets another."""


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

    def run(self, selection: Selection, *, quiet: bool) -> Handover:
        """Submit the chosen steps that are missing, and leave."""
        seconds = {}
        if is_by_minutes(self.pack):
            records, _ = ResultsStore(selection.options.results_dir).load_all()
            seconds = step_seconds(selection.chosen.steps, records)
        arrays = submit_slurm(selection.folder, selection.chosen, self, seconds)
        said = f"submitted as Slurm jobs {', '.join(arrays)}" if arrays else "there is nothing to submit"
        Console(stderr=True).print(f"{said}; this terminal may be closed", highlight=False, soft_wrap=True)
        return Handover.SUBMITTED if arrays else Handover.UNCHANGED


def require_slurm() -> None:
    """Check that this machine can submit jobs.

    Raises:
        UsageError: Slurm's commands or submitit are not installed.
    """
    if missing := [name for name in ("sbatch", "srun", "squeue", "scancel") if shutil.which(name) is None]:
        raise UsageError(
            f"--executor slurm needs Slurm's commands, and {missing[0]} is not here: run it on a login node "
            "of the cluster (Debian and Ubuntu have them in the package slurm-client)"
        )
    if find_spec("submitit") is None:
        raise UsageError('--executor slurm needs the package submitit: run pip install "mmulbench[slurm]"')


def submit_slurm(
    folder: SweepFolder, plan: Plan, executor: SlurmExecutor, seconds: Mapping[str, float]
) -> list[str]:
    """Submit every step that has not ended and is not in Slurm's queue already.

    Args:
        folder: folder of the sweep.
        plan: steps that are to be made.
        executor: settings of the jobs.
        seconds: time that each step is expected to take, as far as it is known.

    Returns:
        Ids of the new job arrays, none where there is nothing to do.

    Raises:
        UsageError: Slurm is not installed, or the sweep is being submitted already.
        MmulbenchError: Slurm refuses the jobs; nothing new is left in its queue.
    """
    require_slurm()
    with folder.claim("slurm") as mine:
        if not mine:
            raise UsageError(f"sweep {folder.sweep_id} is being submitted by another process")
        before = read_jobs(folder)
        kept = before.tasks if before is not None else ()
        live = live_tasks(before, ENDING_SECONDS) if before is not None else []
        jobs = SlurmJobs(
            settings=dict(executor.sbatch), pack=executor.pack, timeout=executor.timeout, tasks=kept
        )
        new: list[SlurmTask] = []
        try:
            for tasks in _arrays(folder, plan, executor, seconds, live, new):
                new += tasks
                write_jobs(folder, jobs.model_copy(update={"tasks": (*kept, *new)}))
        except BaseException:
            cancel_jobs(task.array for task in new)
            if before is not None:
                write_jobs(folder, before)
            else:
                (folder.root / FILE).unlink(missing_ok=True)
            raise
        return list(dict.fromkeys(task.array for task in new))


def _arrays(
    folder: SweepFolder,
    plan: Plan,
    executor: SlurmExecutor,
    seconds: Mapping[str, float],
    live: Sequence[SlurmTask],
    new: Sequence[SlurmTask],
) -> Iterator[list[SlurmTask]]:
    """Submit array after array: kind after kind, each after those before.

    Args:
        folder: folder of the sweep.
        plan: steps that are to be made.
        executor: settings of the jobs.
        seconds: time that each step is expected to take, as far as it is known.
        live: tasks in the queue that were submitted earlier.
        new: tasks that were submitted so far, to which the caller adds each array.

    Yields:
        The tasks of one array.
    """
    states = folder.states()
    ended = {name for name, state in states.items() if state.status in ENDED}
    largest = _array_size()
    earlier: set[str] = set()
    for kind in STEP_KINDS:
        steps = [step.step_id for step in plan.steps if step.kind == kind]
        queued = {step for task in live for step in task.steps}
        missing = [step for step in steps if step not in ended and step not in queued]
        # An original or retrain is long, so that each has a task of its own.
        tasks = packed(missing, executor.pack if kind in ("shadow", "run") else ONE_EACH, seconds)
        after = sorted({task.array for task in (*live, *new) if earlier.intersection(task.steps)}, key=int)
        for start in range(0, len(tasks), largest):
            yield _submit(folder, executor, tasks[start : start + largest], after)
        earlier.update(steps)


def _submit(
    folder: SweepFolder, executor: SlurmExecutor, tasks: Sequence[Sequence[str]], after: Sequence[str]
) -> list[SlurmTask]:
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    size = max(len(steps) for steps in tasks)
    place = folder.root / LOGS
    submitter = submitit.SlurmExecutor(folder=place, max_num_timeout=size + SPARE_STARTS)
    try:
        # submitit prints what it raises
        with disk_errors("write", place, SWEEPS_FLAG), contextlib.redirect_stderr(io.StringIO()):
            submitter.update_parameters(**_parameters(folder, executor, after))
            found = submitter.submit_array(
                [SlurmSteps(str(folder.root), steps, executor.timeout) for steps in tasks]
            )
    except (FailedJobError, FailedSubmissionError) as error:
        asked = ", ".join(f"{key}={value}" for key, value in executor.sbatch.items())
        raise MmulbenchError(
            f"Slurm refused the jobs{f' ({asked})' if asked else ''}: {reasons(str(error))}"
        ) from error
    return [SlurmTask(job=job.job_id, steps=tuple(steps)) for job, steps in zip(found, tasks, strict=True)]


def _parameters(folder: SweepFolder, executor: SlurmExecutor, after: Sequence[str]) -> dict[str, object]:
    """Return the parameters of a submission, as submitit names them."""
    others = dict(executor.sbatch)
    limit = int(others.pop("time", MINUTES))
    parallel = others.pop("parallel", None)
    found: dict[str, object] = {
        "job_name": others.pop("job-name", f"mmulbench-{folder.sweep_id}"),
        "time": limit,
        # Enough to put the job into the queue again; submitit's own 90 seconds are all of a short limit.
        "signal_delay_s": max(5, min(90, 6 * limit)),
        "stderr_to_stdout": True,
        "additional_parameters": {key: True if value == "true" else value for key, value in others.items()}
        | {"requeue": True},
    }
    if parallel is not None:
        found["array_parallelism"] = int(parallel)
    if after:
        found["dependency"] = f"afterany:{':'.join(after)}"
    if "cpus-per-task" in others:  # since Slurm 22.05 srun does not take it over from sbatch
        found["srun_args"] = [f"--cpus-per-task={others['cpus-per-task']}"]
    return found


def _array_size() -> int:
    """Return the largest number of tasks in a job array on this cluster."""
    done = subprocess.run(
        ["scontrol", "show", "config"], capture_output=True, text=True, timeout=60, check=False
    )
    matched = re.search(r"^MaxArraySize\s*=\s*(\d+)", done.stdout, re.M)
    return int(matched[1]) if matched is not None else USUAL_ARRAY_SIZE
