"""Starting a sweep: check it whole, write it down, and hand it to an executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmulbench.errors import UsageError
from mmulbench.files import prepare_folder
from mmulbench.runs.open_task import check, parse_forget_size
from mmulbench.runs.session import Request, check_shadows, configured
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.grid import Job, sweep_id
from mmulbench.sweeps.options import stored_options
from mmulbench.sweeps.plan import Plan, make_plan
from mmulbench.sweeps.runner import request_of
from mmulbench.sweeps.state import StoredStep, StoredSweep, now

NOT_DECIDING = ("checkpoint_seconds",)
"""Options that do not make a sweep another one: nothing that it records depends on them."""


@dataclass(frozen=True)
class Sweep:
    """A sweep that may be started.

    Attributes:
        folder: where it is kept.
        plan: its steps.
        new: whether it was not there before.
    """

    folder: SweepFolder
    plan: Plan
    new: bool


def check_jobs(jobs: Sequence[Job], options: Request) -> None:
    """Check every name and value of all jobs before anything is computed.

    Raises:
        UsageError: for wrong use, naming the run.
    """
    seen: set[object] = set()
    for job in jobs:
        # What else a job says is checked on its own, so that a thousand seeds and sizes are checked once.
        key = (job.task, job.method, job.backbone, job.settings)
        size = ("forget size", job.forget_size)
        try:
            if size not in seen:
                parse_forget_size(job.forget_size)
            if key not in seen:
                request = request_of(job, options)
                configured(job.method, request, check(request))
        except UsageError as error:
            raise UsageError(f"{job.title}: {error}") from error
        seen |= {key, size}


def plan_sweep(jobs: Sequence[Job], options: Request) -> Plan:
    """The steps of a sweep, everything checked.

    Raises:
        UsageError: for wrong use, naming the run.
    """
    check_shadows(options)
    check_jobs(jobs, options)
    return make_plan(jobs, reference=options.reference, shadows=options.shadows)


def store_sweep(jobs: Sequence[Job], plan: Plan, options: Request, sweeps_dir: Path, command: str) -> Sweep:
    """Write a sweep down, or find it: the same jobs with the same options are the same sweep.

    Raises:
        MmulbenchError: when a folder cannot be written.
    """
    stored = stored_options(options)
    deciding = {key: value for key, value in stored.items() if key not in NOT_DECIDING}
    name = sweep_id(jobs, deciding)
    prepare_folder(sweeps_dir, "sweeps", SWEEPS_FLAG)
    prepare_folder(options.results_dir, "results", "--results-dir")
    prepare_folder(options.cache_dir, "cache", "--cache-dir")
    folder = SweepFolder(sweeps_dir.resolve() / name)
    steps = tuple(map(StoredStep.of, plan.steps))
    sweep = StoredSweep(
        sweep_id=name, created=now(), command=command, cwd=str(Path.cwd()), options=stored, steps=steps
    )
    return Sweep(folder, plan, folder.create(sweep))
