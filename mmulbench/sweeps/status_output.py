"""What ``sweep`` and ``status`` print: a plan, or how far a sweep is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.plan import STEP_KINDS, Estimate, Plan
from mmulbench.sweeps.state import ENDED
from mmulbench.sweeps.status import Standing, standing

LISTED = 20
"""So many steps in trouble are named; --json names all."""


def print_plan(plan: Plan, expected: Estimate, *, as_json: bool) -> None:
    """Print the steps of a sweep that is not started, and how long they take."""
    if as_json:
        steps = [
            {"id": s.step_id, "kind": s.kind, "title": s.title, "needs": list(s.needs)} for s in plan.steps
        ]
        known = {"seconds": round(expected.seconds, 1), "unknown": expected.unknown}
        print(json.dumps({"steps": steps, "estimate": known}, indent=1))
        return
    for step in plan.steps:
        print(f"{step.step_id}  {step.kind:8}  {step.title}")
    counts = ", ".join(_counted(count, kind) for kind in STEP_KINDS if (count := len(plan.of(kind))))
    print(f"{counts}; {_estimated(expected, len(plan.steps))}")


def counts_table(found: Standing) -> Table:
    """Steps by status, and what runs."""
    table = Table(box=None, show_header=False)
    for name in ("queued", "running", *ENDED, "lost", "cancelled"):
        if found.counts.get(name):
            table.add_row(name.replace("_", " "), str(found.counts[name]))
    if found.seconds_left:
        table.add_row("time left", f"about {duration(found.seconds_left)}")
    for step, state in found.running[:10]:
        table.add_row("", f"{escape(step.title)} ({escape(state.worker)})")
    return table


@contextlib.contextmanager
def live_counts(folder: SweepFolder, plan: Plan, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Give a function that shows on a terminal how far a sweep is; nothing is left of it after the block.

    Args:
        folder: folder of the sweep.
        plan: its steps.
        quiet: whether to show nothing.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda: None
        return
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield lambda: live.update(counts_table(standing(folder, plan.steps)), refresh=True)


def print_standing(folder: SweepFolder, found: Standing, *, as_json: bool) -> None:
    """Print how far a sweep is, what is in trouble, and what to do about it."""
    if as_json:
        trouble = [
            {"id": s.step_id, "title": s.title, "status": state.status, "reason": state.reason}
            for s, state in found.trouble
        ]
        content = {
            "sweep": folder.sweep_id,
            "counts": dict(found.counts),
            "seconds_left": found.seconds_left,
            "attended": found.attended,
            "notes": list(found.notes),
            "trouble": trouble,
        }
        print(json.dumps(content, indent=1))
        return
    console = Console()
    console.print(f"sweep {folder.sweep_id} in {folder.root}", markup=False, highlight=False, soft_wrap=True)
    console.print(counts_table(found))
    for step, state in found.trouble[:LISTED]:
        line = f"{step.step_id} {state.status}: {step.title}: {state.reason}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in _advice(found):
        console.print(line, highlight=False, soft_wrap=True)


def _advice(found: Standing) -> list[str]:
    lines = [escape(note) for note in found.notes]
    if len(found.trouble) > LISTED:
        lines.append(f"… and {len(found.trouble) - LISTED} more; --json lists all")
    if found.trouble:
        first = found.trouble[0][0].step_id
        lines.append(f"mmulbench logs {first} shows more; mmulbench retry does them again")
    if found.counts.get("cancelled"):
        lines.append("it was cancelled; mmulbench retry goes on with it")
    if not found.is_over and not found.attended:
        lines.append("nobody works on it; mmulbench retry goes on with it")
    return lines


def duration(seconds: float) -> str:
    """Seconds in words."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


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
