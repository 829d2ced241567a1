"""Read what steps printed, tracebacks included."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from mmulbench.plain_text import one_line, visible
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.status import BegunStep

BEGINS = " begins, attempt "
"""What stands between the worker and the number in the first line of an attempt."""


def last_attempt(folder: SweepFolder, step_id: str) -> str:
    """Return what a step printed when it was last made; nothing where it has no log.

    Args:
        folder: folder of the sweep.
        step_id: id of the step.
    """
    try:
        text = folder.log(step_id).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = text.splitlines()
    first = max((number for number, line in enumerate(lines) if BEGINS in line), default=0)
    return "\n".join(lines[first:])


def print_failures(folder: SweepFolder, trouble: Iterable[BegunStep]) -> None:
    """Print on standard error what steps in trouble printed when they were last made, for ``--debug``.

    Args:
        folder: folder of the sweep.
        trouble: the steps.
    """
    for step, state in trouble:
        print(f"\n{step.step_id} {state.status}: {one_line(step.title)}", file=sys.stderr)
        for line in last_attempt(folder, step.step_id).splitlines():
            print(visible(line), file=sys.stderr)
