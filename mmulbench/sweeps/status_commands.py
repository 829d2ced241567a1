"""Show, log or cancel a sweep: ``status``, ``logs`` and ``cancel`` answer at once, without torch."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from mmulbench.errors import MmulbenchError, UsageError, did_you_mean
from mmulbench.sweeps.folder import SweepFolder, find_sweep
from mmulbench.sweeps.slurm_jobs import LOGS, cancel_jobs, end_strays, live_tasks, other_cluster, read_jobs
from mmulbench.sweeps.status import sweep_status
from mmulbench.sweeps.status_output import counts_table, print_status

WATCH_SECONDS = 2.0
"""Time between two looks at a sweep of local workers."""

SLURM_WATCH_SECONDS = 15.0
"""Time between two questions to Slurm's controller, which all users of a cluster share."""


def status(sweeps_dir: Path, name: str | None, *, watch: bool, as_json: bool) -> int:
    """Show how far a sweep is.

    Args:
        sweeps_dir: folder that keeps all sweeps.
        name: id of the sweep; the latest for None.
        watch: whether to keep showing until all is done.
        as_json: whether to print JSON.

    Returns:
        The exit code: 1 if a step failed, diverged, was lost or is stuck in Slurm's queue, else 0.
    """
    folder = find_sweep(sweeps_dir, name)
    steps = folder.read().plan.steps
    current = sweep_status(folder, steps)
    if watch:
        pause = WATCH_SECONDS if read_jobs(folder) is None else SLURM_WATCH_SECONDS
        with Live(
            counts_table(current), transient=True, auto_refresh=False, console=Console(stderr=True)
        ) as live:
            while not (current.is_over or current.is_standstill) and (current.attended or current.running):
                time.sleep(pause)
                current = sweep_status(folder, steps)
                live.update(counts_table(current), refresh=True)
    print_status(folder, current, as_json=as_json)
    return int(current.is_in_trouble)


def logs(sweeps_dir: Path, name: str | None, run: str) -> None:
    """Print what a step printed.

    Args:
        sweeps_dir: folder that keeps all sweeps.
        name: id of the sweep; the latest for None.
        run: start of the step's id.

    Raises:
        UsageError: No step or several have such an id, or the step has not begun.
    """
    folder = find_sweep(sweeps_dir, name)
    ids = [step.step_id for step in folder.read().plan.steps]
    found = [one for one in ids if one.startswith(run)]
    if len(found) > 1:
        raise UsageError(
            f"{run!r} is the start of {len(found)} steps of sweep {folder.sweep_id}; give more of it"
        )
    if not found:
        near = did_you_mean(run, ids) if len(ids) <= 20 else "; mmulbench status names those in trouble"
        raise UsageError(f"no step {run!r} in sweep {folder.sweep_id}{near}")
    path = _log_of_step(folder, found[0])
    if not path.exists():
        raise UsageError(f"step {found[0]} of sweep {folder.sweep_id} has not begun")
    print(path.read_text(encoding="utf-8", errors="replace"), end="")


def _log_of_step(folder: SweepFolder, step_id: str) -> Path:
    """Return the file of what a step printed, or else of what its Slurm job did before the step began."""
    path = folder.log(step_id)
    jobs = read_jobs(folder) if not path.exists() else None
    task = jobs.task_of_step().get(step_id) if jobs is not None else None
    return path if task is None else folder.root / LOGS / f"{task.job}_0_log.out"


def cancel(sweeps_dir: Path, name: str | None) -> None:
    """Let a sweep start nothing more; steps of local workers end as they would, Slurm jobs are ended.

    Args:
        sweeps_dir: folder that keeps all sweeps.
        name: id of the sweep; the latest for None.

    Raises:
        MmulbenchError: Slurm cannot be asked, or is another cluster than that of the jobs.
    """
    folder = find_sweep(sweeps_dir, name)
    jobs = read_jobs(folder)
    try:
        elsewhere = other_cluster(folder, jobs) if jobs is not None else None
    except MmulbenchError:
        folder.cancel()
        raise
    if elsewhere is not None:
        raise MmulbenchError(elsewhere)
    folder.cancel()
    if jobs is not None:
        cancel_jobs(task.array for task in live_tasks(folder, jobs))
    end_strays(folder, jobs)
    print(f"sweep {folder.sweep_id} starts nothing more; mmulbench retry goes on with it")
