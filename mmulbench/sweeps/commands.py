"""What ``sweep`` and ``retry`` do."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.live import Live

from mmulbench.core.plugins import load_plugins
from mmulbench.records.store import ResultsStore
from mmulbench.runs.session import Request
from mmulbench.sweeps.choose_executor import Asked, executor_of_retry
from mmulbench.sweeps.folder import SweepFolder, find_sweep
from mmulbench.sweeps.grid import Grid
from mmulbench.sweeps.local import Local, follow, start_local
from mmulbench.sweeps.options import enter_folder, options_of
from mmulbench.sweeps.packing import is_by_minutes
from mmulbench.sweeps.plan import Plan, estimate, step_seconds
from mmulbench.sweeps.slurm import Slurm, submit_slurm
from mmulbench.sweeps.state import ENDED, Status
from mmulbench.sweeps.status import standing
from mmulbench.sweeps.status_output import counts_table, print_plan, print_standing
from mmulbench.sweeps.store_sweep import define_sweep, plan_sweep, prepare_sweep

Only = Literal["failed", "missing"]
"""Which part of what is left `retry` does."""


def sweep(
    grid: Grid,
    options: Request,
    sweeps_dir: Path,
    executor: Local | Slurm | None,
    command: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Plan a sweep and run it.

    Args:
        grid: what to run.
        options: that all runs share.
        sweeps_dir: where sweeps are kept.
        executor: local workers or Slurm; None for this process.
        command: the command line, for the sweep's record.
        dry_run: whether to print the plan and stop.
        as_json: whether to print JSON.

    Returns:
        0, or 1 if a step failed or diverged.
    """
    load_plugins(options.plugins)
    jobs = grid.jobs()
    plan = plan_sweep(jobs, options)
    if dry_run:
        records, _ = ResultsStore(options.results_dir).load_all()
        print_plan(plan, estimate(plan.steps, records), as_json=as_json)
        return 0
    definition = define_sweep(jobs, plan, options, command)
    folder = prepare_sweep(definition, options, sweeps_dir)
    earlier = "" if folder.create(definition) else ", which was started before"
    Console(stderr=True).print(
        f"sweep {folder.sweep_id}{earlier}: {len(plan.steps)} steps; see mmulbench status",
        highlight=False,
        soft_wrap=True,
    )
    if not folder.is_attended:
        _queue_again(folder, plan, ENDED if options.overwrite == "always" else ())
    folder.resume()
    return _execute(folder, plan, plan, options, executor, as_json=as_json)


def _execute(
    folder: SweepFolder,
    plan: Plan,
    chosen: Plan,
    options: Request,
    executor: Local | Slurm | None,
    *,
    as_json: bool,
) -> int:
    """Make the chosen steps of a sweep, and say how far all of it is; 1 if one of them was not made well."""
    if isinstance(executor, Slurm):
        return _submit(folder, plan, chosen, options, executor, as_json=as_json)
    if executor is None:
        _work_here(folder, chosen, options)
    elif chosen.steps:  # no ids at all would be all steps
        step_ids = [step.step_id for step in chosen.steps] if chosen is not plan else ()
        started = start_local(folder, executor, options.device, step_ids)
        console = Console(stderr=True)
        if executor.detach:
            console.print("the workers are started; this terminal may be closed", highlight=False)
            return 0
        shown: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        if console.is_terminal and not as_json:
            shown = Live(console=console, transient=True, auto_refresh=False)
        with shown as live:

            def watch() -> None:
                if live is not None:
                    live.update(counts_table(standing(folder, plan.steps)), refresh=True)

            follow(started, watch)
    found = standing(folder, plan.steps)
    print_standing(folder, found, as_json=as_json)
    ours = found if chosen is plan else standing(folder, chosen.steps)
    return int(bool(ours.trouble) or not ours.is_complete)


def _submit(
    folder: SweepFolder, plan: Plan, chosen: Plan, options: Request, executor: Slurm, *, as_json: bool
) -> int:
    """Hand the chosen steps that are missing to Slurm, and leave."""
    seconds = {}
    if is_by_minutes(executor.pack):
        seconds = step_seconds(chosen.steps, ResultsStore(options.results_dir).load_all()[0])
    arrays = submit_slurm(folder, chosen, executor, seconds)
    said = f"submitted as Slurm jobs {', '.join(arrays)}" if arrays else "there is nothing to submit"
    Console(stderr=True).print(f"{said}; this terminal may be closed", highlight=False, soft_wrap=True)
    found = standing(folder, plan.steps)
    print_standing(folder, found, as_json=as_json)
    return int(bool(found.trouble) and not arrays)


def _work_here(folder: SweepFolder, plan: Plan, options: Request) -> None:
    """Make all steps in this process."""
    from mmulbench.sweeps.runner import Runner
    from mmulbench.sweeps.worker import LogProgress, Work

    with folder.attended():
        while Work(folder, plan.steps, Runner(options, LogProgress())).run():
            pass  # a failure may have spoiled this process, but there is no other


def retry(sweeps_dir: Path, name: str | None, asked: Asked, *, only: Only | None, as_json: bool) -> int:
    """Do again what failed, diverged, was lost or interrupted, and what was never begun or lacks its record.

    Args:
        sweeps_dir: where sweeps are kept.
        name: of the sweep; the latest for None.
        asked: for which executor; for none, Slurm where the sweep was submitted to it, else local workers.
        only: what failed or diverged, and what it needs; or what is missing, without what failed or diverged
            and has its record. Both for None.
        as_json: whether to print JSON.

    Returns:
        0, or 1 if a step failed or diverged.
    """
    folder = find_sweep(sweeps_dir, name)
    stored = folder.read()
    executor = executor_of_retry(asked, folder)
    options = options_of(stored.options)
    enter_folder(stored.cwd)
    load_plugins(options.plugins)
    plan = stored.plan
    failed = {name for name, state in folder.states().items() if state.status in ("failed", "diverged")}
    chosen = plan.with_needs(failed) if only == "failed" else plan
    again: tuple[Status, ...] = ("lost",) if only == "missing" else ("lost", "failed", "diverged")
    _queue_again(folder, chosen, again)
    folder.resume()
    return _execute(folder, plan, chosen, options, executor, as_json=as_json)


def _queue_again(folder: SweepFolder, plan: Plan, statuses: Collection[Status]) -> None:
    """Let steps of these statuses wait again, and those whose record is gone or was never written."""
    states = folder.states()
    for step_id in (step.step_id for step in plan.steps if step.step_id in states):
        state = states[step_id]
        if state.record is None:
            missing = state.status == "failed"
        else:
            missing = state.status in ENDED and not Path(state.record).exists()
        if missing or state.status in statuses:
            folder.queue_again(step_id, state)
