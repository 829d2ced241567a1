"""What ``sweep``, ``status``, ``logs``, ``retry`` and ``cancel`` print and do."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.plugins import load_plugins
from mmulbench.session import Request
from mmulbench.store import ResultsStore
from mmulbench.sweeps.folder import ENDED, SweepFolder, find_sweep
from mmulbench.sweeps.grid import Grid
from mmulbench.sweeps.local import Local, run_local
from mmulbench.sweeps.options import options_of
from mmulbench.sweeps.plan import Estimate, Plan, estimate
from mmulbench.sweeps.progress import Standing, standing
from mmulbench.sweeps.runner import Runner
from mmulbench.sweeps.submit import plan_sweep, store_sweep
from mmulbench.sweeps.worker import LogProgress, work

WATCH_SECONDS = 2.0
FAILED = ("failed", "diverged", "lost", "cancelled")


def sweep(
    grid: Grid,
    options: Request,
    sweeps_dir: Path,
    executor: Local | None,
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
        executor: local workers; None for this process.
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
        _print_plan(plan, estimate(plan.steps, records), as_json=as_json)
        return 0
    made = store_sweep(jobs, plan, options, sweeps_dir, command)
    console = Console(stderr=True)
    console.print(
        f"sweep {made.folder.sweep_id}: {len(plan.steps)} steps"
        f"{'' if made.new else ', some of which may be done already'}; mmulbench status shows it anywhere",
        highlight=False,
    )
    made.folder.resume()
    return _execute(made.folder, plan, options, executor, as_json=as_json)


def _execute(
    folder: SweepFolder, plan: Plan, options: Request, executor: Local | None, *, as_json: bool
) -> int:
    if executor is None:
        work(folder, plan.steps, Runner(options, LogProgress()))
    else:
        console = Console(stderr=True)
        shown: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        if console.is_terminal and not as_json:
            shown = Live(console=console, transient=True, auto_refresh=False)
        with shown as live:

            def watch() -> None:
                if live is not None:
                    live.update(_counts_table(standing(folder, plan.steps)), refresh=True)

            run_local(folder, executor, len(plan.steps), watch)
    found = standing(folder, plan.steps)
    _print_standing(folder, found, as_json=as_json)
    return int(bool(found.trouble) or not found.is_over)


def status(sweeps_dir: Path, name: str | None, *, watch: bool, as_json: bool) -> int:
    """Show how far a sweep is.

    Returns:
        0, or 1 if a step failed, diverged or was lost.
    """
    folder = find_sweep(sweeps_dir, name)
    steps = folder.read().plan().steps
    found = standing(folder, steps)
    if watch:
        with Live(_counts_table(found), transient=True, auto_refresh=False) as live:
            while not found.is_over and not folder.is_cancelled:
                time.sleep(WATCH_SECONDS)
                found = standing(folder, steps)
                live.update(_counts_table(found), refresh=True)
    _print_standing(folder, found, as_json=as_json)
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
    ids = [step.step_id for step in folder.read().plan().steps]
    found = [one for one in ids if one.startswith(run)]
    if len(found) != 1:
        hint = did_you_mean(run, ids) if not found else f"; it is the start of {len(found)} ids"
        raise UsageError(f"no step {run!r} in sweep {folder.sweep_id}{hint}")
    path = folder.log(found[0])
    if not path.exists():
        raise UsageError(f"step {found[0]} has not begun")
    print(path.read_text(encoding="utf-8", errors="replace"), end="")


def retry(
    sweeps_dir: Path,
    name: str | None,
    executor: Local | None,
    *,
    only_missing: bool,
    as_json: bool,
) -> int:
    """Do again what failed, diverged, was lost or cancelled, and what was never begun.

    Args:
        sweeps_dir: where sweeps are kept.
        name: of the sweep; the latest for None.
        executor: local workers; None for this process.
        only_missing: leave out what failed or diverged.
        as_json: whether to print JSON.
    """
    folder = find_sweep(sweeps_dir, name)
    stored = folder.read()
    options = options_of(stored.options)
    load_plugins(options.plugins)
    for step_id, state in folder.states().items():
        again = ("lost", "cancelled") if only_missing else FAILED
        if state.status in again:
            folder.forget(step_id)
    folder.resume()
    return _execute(folder, stored.plan(), options, executor, as_json=as_json)


def cancel(sweeps_dir: Path, name: str | None) -> None:
    """Let a sweep start nothing more; what runs ends as it would."""
    folder = find_sweep(sweeps_dir, name)
    folder.cancel()
    print(f"sweep {folder.sweep_id} starts nothing more; mmulbench retry goes on with it")


def _print_plan(plan: Plan, expected: Estimate, *, as_json: bool) -> None:
    if as_json:
        steps = [
            {"id": s.step_id, "kind": s.kind, "title": s.title, "needs": list(s.needs)} for s in plan.steps
        ]
        known = {"seconds": round(expected.seconds, 1), "unknown": expected.unknown}
        print(json.dumps({"steps": steps, "estimate": known}, indent=1))
        return
    console = Console()
    for step in plan.steps:
        console.print(
            f"{step.step_id}  {step.kind:8}  {step.title}", markup=False, highlight=False, soft_wrap=True
        )
    counts = ", ".join(f"{len(plan.of(kind))} {kind}s" for kind in ("original", "retrain", "run"))
    console.print(f"{counts}; {_estimated(expected, len(plan.steps))}", highlight=False)


def _estimated(expected: Estimate, total: int) -> str:
    if expected.unknown == total:
        return "no earlier records to estimate the time from"
    rest = f", without {expected.unknown} steps of which nothing is known" if expected.unknown else ""
    return f"about {_duration(expected.seconds)} on one worker{rest}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60:02} min"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else f"{seconds:.0f} s"
    )


def _counts_table(found: Standing) -> Table:
    table = Table(box=None, show_header=False)
    for name in ("queued", "running", *ENDED, "lost"):
        if found.counts.get(name):
            table.add_row(name.replace("_", " "), str(found.counts[name]))
    if found.seconds_left:
        table.add_row("time left", f"about {_duration(found.seconds_left)}")
    for step, state in found.running[:10]:
        table.add_row("", f"{escape(step.title)} ({escape(state.worker)})")
    return table


def _print_standing(folder: SweepFolder, found: Standing, *, as_json: bool) -> None:
    if as_json:
        trouble = [
            {"id": s.step_id, "title": s.title, "status": state.status, "reason": state.reason}
            for s, state in found.trouble
        ]
        content = {
            "sweep": folder.sweep_id,
            "counts": dict(found.counts),
            "seconds_left": found.seconds_left,
            "trouble": trouble,
        }
        print(json.dumps(content, indent=1))
        return
    console = Console()
    console.print(f"sweep {folder.sweep_id} in {folder.root}", highlight=False, soft_wrap=True)
    console.print(_counts_table(found))
    for step, state in found.trouble:
        line = f"{step.step_id} {state.status}: {step.title}: {state.reason}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if found.trouble:
        console.print(
            f"mmulbench logs {found.trouble[0][0].step_id} shows more; mmulbench retry does them again"
        )
