"""What ``status``, ``logs`` and ``cancel`` do. They answer at once: nothing here imports torch."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.sweeps.folder import find_sweep
from mmulbench.sweeps.slurm_jobs import cancel_jobs, live_tasks, read_jobs
from mmulbench.sweeps.status import standing
from mmulbench.sweeps.status_output import counts_table, print_standing

WATCH_SECONDS = 2.0
SLURM_WATCH_SECONDS = 15.0
"""All users of a cluster share the controller that is asked."""


def status(sweeps_dir: Path, name: str | None, *, watch: bool, as_json: bool) -> int:
    """Show how far a sweep is.

    Returns:
        0, or 1 if a step failed, diverged or was lost.
    """
    folder = find_sweep(sweeps_dir, name)
    steps = folder.read().plan.steps
    found = standing(folder, steps)
    if watch:
        pause = WATCH_SECONDS if read_jobs(folder) is None else SLURM_WATCH_SECONDS
        with Live(
            counts_table(found), transient=True, auto_refresh=False, console=Console(stderr=True)
        ) as live:
            while not found.is_over and (found.attended or found.running):
                time.sleep(pause)
                found = standing(folder, steps)
                live.update(counts_table(found), refresh=True)
    print_standing(folder, found, as_json=as_json)
    return int(bool(found.trouble))


def logs(sweeps_dir: Path, name: str | None, run: str) -> None:
    """Print what a step printed.

    Args:
        sweeps_dir: where sweeps are kept.
        name: of the sweep; the latest for None.
        run: start of the step's id.

    Raises:
        UsageError: when no step or several have such an id, or it has not begun.
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
    path = folder.log(found[0])
    if not path.exists():
        raise UsageError(f"step {found[0]} of sweep {folder.sweep_id} has not begun")
    print(path.read_text(encoding="utf-8", errors="replace"), end="")


def cancel(sweeps_dir: Path, name: str | None) -> None:
    """Let a sweep start nothing more. What runs on local workers ends as it would; Slurm jobs are ended.

    Raises:
        MmulbenchError: when Slurm cannot be asked.
    """
    folder = find_sweep(sweeps_dir, name)
    folder.cancel()
    jobs = read_jobs(folder)
    if jobs is not None:
        cancel_jobs(task.array for task in live_tasks(jobs))
    print(f"sweep {folder.sweep_id} starts nothing more; mmulbench retry goes on with it")
