"""Print a plan, or how far a sweep is, for ``sweep`` and ``status``."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from mmulbench.plain_text import one_line
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.plan import STEP_KINDS, Estimate, Plan, StepKind
from mmulbench.sweeps.state import ENDED
from mmulbench.sweeps.status import SweepStatus, sweep_status
from mmulbench.time_left import duration

LISTED = 20
"""Largest number of steps in trouble that are named; --json names all."""


def print_plan(plan: Plan, expected: Estimate, *, as_json: bool) -> None:
    """Print the steps of a sweep that is not started, and how long they take.

    Args:
        plan: the steps.
        expected: time that they take.
        as_json: whether to print JSON.
    """
    if as_json:
        steps = [
            {"id": s.step_id, "kind": s.kind, "title": s.title, "needs": list(s.needs)} for s in plan.steps
        ]
        known = {"seconds": round(expected.seconds, 1), "unknown": expected.unknown}
        print(json.dumps({"steps": steps, "estimate": known}, indent=1))
        return
    for step in plan.steps:
        print(f"{step.step_id}  {_words(step.kind):14}  {one_line(step.title)}")
    counts = ", ".join(_counted(count, _words(kind)) for kind in STEP_KINDS if (count := len(plan.of(kind))))
    print(f"{counts}; {_estimated(expected, len(plan.steps))}")


def counts_table(status: SweepStatus) -> Table:
    """Return a table of the steps by status, and of those that run."""
    table = Table(box=None, show_header=False)
    for name in ("queued", "running", *ENDED, "lost", "cancelled"):
        if status.counts.get(name):
            table.add_row(name.replace("_", " "), str(status.counts[name]))
    if status.seconds_left:
        table.add_row("time left", f"about {duration(status.seconds_left)}")
    for step, state in status.running[:10]:
        table.add_row("", f"{escape(one_line(step.title))} ({escape(state.worker)})")
    return table


@contextlib.contextmanager
def live_counts(folder: SweepFolder, plan: Plan, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show on a terminal how far a sweep is, until the block ends.

    Args:
        folder: folder of the sweep.
        plan: its steps.
        quiet: whether to show nothing.

    Yields:
        A function that shows how far the sweep is now.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda: None
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield lambda: live.update(counts_table(sweep_status(folder, plan.steps)), refresh=True)


def print_status(folder: SweepFolder, status: SweepStatus, *, as_json: bool) -> None:
    """Print how far a sweep is, which steps are in trouble, and what to do about it.

    Args:
        folder: folder of the sweep.
        status: how far the sweep is.
        as_json: whether to print JSON.
    """
    if as_json:
        trouble = [
            {
                "id": one.step.step_id,
                "title": one.step.title,
                "status": one.state.status,
                "reason": one.state.reason,
            }
            for one in status.trouble
        ]
        content = {
            "sweep": folder.sweep_id,
            "counts": dict(status.counts),
            "seconds_left": status.seconds_left,
            "attended": status.attended,
            "notes": list(status.notes),
            "stuck": list(status.stuck),
            "trouble": trouble,
        }
        print(json.dumps(content, indent=1))
        return
    console = Console()
    console.print(f"sweep {folder.sweep_id} in {folder.root}", markup=False, highlight=False, soft_wrap=True)
    console.print(counts_table(status))
    for step, state in status.trouble[:LISTED]:
        line = one_line(f"{step.step_id} {state.status}: {step.title}: {state.reason}")
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in _advice(status):
        console.print(line, highlight=False, soft_wrap=True)


def _advice(status: SweepStatus) -> list[str]:
    lines = [escape(one_line(note)) for note in (*status.stuck, *status.notes)]
    if len(status.trouble) > LISTED:
        lines.append(f"… and {len(status.trouble) - LISTED} more; --json lists all")
    if status.trouble:
        first = status.trouble[0].step.step_id
        lines.append(f"mmulbench logs {first} shows more; mmulbench retry does them again")
    if status.counts.get("cancelled"):
        lines.append("it was cancelled; mmulbench retry goes on with it")
    if not status.is_over and not status.attended:
        lines.append("nobody works on it; mmulbench retry goes on with it")
    return lines


def _words(kind: StepKind) -> str:
    return kind.replace("_", " ")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _estimated(expected: Estimate, total: int) -> str:
    if expected.unknown == total:
        return "no earlier records to estimate the time from"
    rest = (
        f", without {_counted(expected.unknown, 'step')} of which nothing is known"
        if expected.unknown
        else ""
    )
    return f"about {duration(expected.seconds)} on one worker{rest}"
