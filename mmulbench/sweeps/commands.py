"""Plan and run a sweep, or do again what is left of one: the commands ``sweep`` and ``retry``."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from rich.console import Console

from mmulbench.core.plugins import load_plugins
from mmulbench.progress import make_progress
from mmulbench.records.store import ResultsStore
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.choose_executor import ExecutorOptions, executor_for_retry
from mmulbench.sweeps.executor import Executor, Handover, Selection
from mmulbench.sweeps.folder import SweepFolder, find_sweep
from mmulbench.sweeps.grid import Grid
from mmulbench.sweeps.kept_records import lost_records
from mmulbench.sweeps.logs import print_failures
from mmulbench.sweeps.options import enter_folder
from mmulbench.sweeps.plan import Plan, estimate
from mmulbench.sweeps.state import ENDED, StepStatus
from mmulbench.sweeps.status import sweep_status
from mmulbench.sweeps.status_output import print_plan, print_status
from mmulbench.sweeps.store_sweep import define_sweep, plan_sweep, prepare_sweep

RetryScope = Literal["failed", "missing"]
"""Part of what is left that `retry` does."""


def sweep(
    grid: Grid,
    options: RunOptions,
    sweeps_dir: Path,
    executor: Executor,
    command: str,
    *,
    dry_run: bool,
    as_json: bool,
    debug: bool = False,
) -> int:
    """Plan a sweep and run it.

    Args:
        grid: the runs.
        options: options that all runs share.
        sweeps_dir: folder that keeps all sweeps.
        executor: what makes the steps.
        command: command line that asks for the sweep, which is stored with it.
        dry_run: whether to print the plan and stop.
        as_json: whether to print JSON.
        debug: whether to print what steps in trouble printed, tracebacks included.

    Returns:
        The exit code: 1 if a step failed or diverged, else 0.

    Raises:
        UsageError: A name or a value is wrong, or what starts the steps is not installed.
        MmulbenchError: A folder cannot be written, or the steps cannot be started.
    """
    if not dry_run:
        executor.require()
    load_plugins(options.plugins)
    jobs = grid.jobs()
    plan = plan_sweep(jobs, options, make_progress(bars=False).note)
    if dry_run:
        records, _ = ResultsStore(options.results_dir).load_all()
        print_plan(plan, estimate(plan.steps, records), as_json=as_json)
        return 0
    definition = define_sweep(jobs, plan, options, command)
    folder = prepare_sweep(definition.sweep_id, options, sweeps_dir)
    earlier = "" if folder.create(definition) else ", which was started before"
    Console(stderr=True).print(
        f"sweep {folder.sweep_id}{earlier}: {len(plan.steps)} steps; see mmulbench status",
        highlight=False,
        soft_wrap=True,
    )
    if not folder.is_attended:
        _queue_again(folder, plan, ENDED if options.overwrite == "always" else ())
    folder.resume()
    return _execute(Selection(folder, options, plan, plan), executor, as_json=as_json, debug=debug)


def _execute(selection: Selection, executor: Executor, *, as_json: bool, debug: bool) -> int:
    """Make the chosen steps, and print how far the whole sweep is; 1 if one of them was not made well."""
    handover = executor.run(selection, quiet=as_json)
    if handover is Handover.STARTED:
        return 0
    whole = sweep_status(selection.folder, selection.plan.steps)
    print_status(selection.folder, whole, as_json=as_json)
    if debug:
        print_failures(selection.folder, whole.trouble)
    if handover is Handover.SUBMITTED:
        return 0
    if handover is Handover.UNCHANGED:
        return int(whole.is_in_trouble)
    ours = whole if selection.is_whole else sweep_status(selection.folder, selection.chosen.steps)
    return int(bool(ours.trouble) or not ours.is_complete)


def retry(
    sweeps_dir: Path,
    name: str | None,
    wanted: ExecutorOptions,
    *,
    only: RetryScope | None,
    as_json: bool,
    debug: bool = False,
) -> int:
    """Do again what failed, diverged, was lost or interrupted, and what was never begun or lacks its record.

    Args:
        sweeps_dir: folder that keeps all sweeps.
        name: id of the sweep; the latest for None.
        wanted: options that choose the executor; without any, Slurm where the sweep was submitted to it,
            else local workers.
        only: ``failed`` for steps that failed or diverged, and those that they need; ``missing`` for all
            others; None for both.
        as_json: whether to print JSON.
        debug: whether to print what steps in trouble printed, tracebacks included.

    Returns:
        The exit code: 1 if a step failed or diverged, else 0.

    Raises:
        UsageError: There is no such sweep, the options do not fit together, or what starts the steps is not
            installed.
        MmulbenchError: The sweep cannot be read, or the steps cannot be started.
    """
    folder = find_sweep(sweeps_dir, name)
    definition = folder.read()
    executor = executor_for_retry(wanted, folder)
    executor.require()
    options = definition.options
    enter_folder(definition.cwd)
    load_plugins(options.plugins)
    plan = definition.plan
    failed = {name for name, state in folder.states().items() if state.status in ("failed", "diverged")}
    chosen = plan.with_needs(failed) if only == "failed" else plan
    again: tuple[StepStatus, ...] = ("lost",) if only == "missing" else ("lost", "failed", "diverged")
    _queue_again(folder, chosen, again)
    folder.resume()
    return _execute(Selection(folder, options, plan, chosen), executor, as_json=as_json, debug=debug)


def _queue_again(folder: SweepFolder, plan: Plan, statuses: Collection[StepStatus]) -> None:
    """Re-queue the steps of these statuses, and those whose record is gone, damaged or was never written."""
    states = folder.states()
    lost = lost_records(states)
    for step_id in (step.step_id for step in plan.steps if step.step_id in states):
        state = states[step_id]
        missing = step_id in lost or (state.record is None and state.status == "failed")
        if missing or state.status in statuses:
            folder.queue_again(step_id, state)
