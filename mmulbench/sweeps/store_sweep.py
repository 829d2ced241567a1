"""Check a sweep whole, and prepare its folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from mmulbench.errors import UsageError
from mmulbench.files import prepare_folder
from mmulbench.loggers.choice import demand_loggers
from mmulbench.records.study import StaleStudy
from mmulbench.runs.forget_list import parse_request
from mmulbench.runs.open_task import parse_forget_size, resolve
from mmulbench.runs.request import RunOptions
from mmulbench.runs.session import check_shadows
from mmulbench.runs.settings_notes import left_aside
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.grid import Job, id_of_sweep
from mmulbench.sweeps.options import with_absolute_paths
from mmulbench.sweeps.plan import Plan, make_plan
from mmulbench.sweeps.state import Sweep, now

_LOG = logging.getLogger(__name__)

NOT_DECIDING = frozenset({"checkpoint_seconds"})
"""Options that do not change a sweep's id: nothing that it records depends on them."""


def check_jobs(
    jobs: Sequence[Job], options: RunOptions, report: Callable[[str], None] = _LOG.warning
) -> None:
    """Check every name and value of all jobs before anything is computed.

    Args:
        jobs: the runs.
        options: options that all runs share.
        report: is told in one line of studies that no run can use.

    Raises:
        UsageError: A name or value is wrong; the message names the run.
    """
    seen: set[object] = set()
    stale: dict[Path, StaleStudy] = {}
    for job in jobs:
        # Forget sizes are checked apart from the rest, so that a thousand seeds and sizes cost one check.
        key = (job.task, job.method, job.backbone, job.settings)
        size = ("forget size", job.forget_size, job.forget, job.forget_where)
        try:
            if size not in seen:
                parse_forget_size(job.forget_size)
                parse_request(job.forget, job.forget_where, job.forget_size)
            if key not in seen:
                resolved = resolve(job, options, tuned=not options.untuned)
                stale |= {study.path: study for study in resolved.stale}
        except UsageError as error:
            raise UsageError(f"{job.title}: {error}") from error
        seen |= {key, size}
    for line in left_aside(stale.values()):
        report(line)


def plan_sweep(
    jobs: Sequence[Job], options: RunOptions, report: Callable[[str], None] = _LOG.warning
) -> Plan:
    """Return the steps of a sweep, after checking all its runs.

    Args:
        jobs: the runs.
        options: options that all runs share.
        report: is told in one line of studies that no run can use.

    Raises:
        UsageError: A name or value is wrong; the message names the run.
    """
    check_shadows(options)
    demand_loggers(options.loggers)
    if options.save_models is not None and options.keep == "best" and not options.reference:
        raise UsageError(
            "--save-model keeps what is nearest to retrain: with --no-reference, give --keep all"
        )
    check_jobs(jobs, options, report)
    return make_plan(jobs, reference=options.reference, shadows=options.shadows)


def define_sweep(jobs: Sequence[Job], plan: Plan, options: RunOptions, command: str) -> Sweep:
    """Describe a sweep; the same jobs with the same options have the same id.

    Args:
        jobs: the runs.
        plan: their steps.
        options: options that all runs share.
        command: command line that asks for the sweep.
    """
    absolute = with_absolute_paths(options)
    deciding = absolute.model_dump(mode="json", exclude=set(NOT_DECIDING))
    return Sweep(
        sweep_id=id_of_sweep(jobs, deciding),
        created=now(),
        command=command,
        cwd=str(Path.cwd()),
        options=absolute,
        steps=plan,
    )


def prepare_sweep(sweep_id: str, options: RunOptions, sweeps_dir: Path) -> SweepFolder:
    """Return the folder of a sweep, after making sure that all its folders can be written.

    Args:
        sweep_id: id of the sweep.
        options: options that name the folders of records and of the cache.
        sweeps_dir: folder that keeps all sweeps.

    Raises:
        MmulbenchError: A folder cannot be written.
    """
    prepare_folder(sweeps_dir, "sweeps", SWEEPS_FLAG)
    prepare_folder(options.results_dir, "results", "--results-dir")
    prepare_folder(options.cache_dir, "cache", "--cache-dir")
    return SweepFolder(sweeps_dir.resolve() / sweep_id)
