"""Divide runs among Slurm tasks: a number for each, or as many as are expected to take so long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator

PACK_PATTERN = "^[1-9][0-9]*m?$"
"""Pattern of a number of runs, or of minutes: ``10`` or ``30m``."""

ONE_EACH = "1"
"""Packing that gives each run a task of its own."""


def checked_pack(text: str) -> str:
    """Return the text, where it says how to pack.

    Raises:
        ValueError: It does not.
    """
    if re.fullmatch(PACK_PATTERN, text) is None:
        raise ValueError(f"{text!r} is neither a number of runs such as 10 nor one of minutes such as 30m")
    return text


Pack = Annotated[str, AfterValidator(checked_pack)]


def is_by_minutes(pack: str) -> bool:
    """Tell whether runs are packed by the time that they are expected to take."""
    return pack.endswith("m")


def pack_of_models(pack: str, models: int, tasks_of_runs: int) -> str:
    """Return how the models of one kind are packed: as runs are, but into no fewer tasks than those have.

    A model takes long: packing spares the queue, but one task is not to train what several could.

    Args:
        pack: number of runs, or of minutes, which say of models what they say of runs.
        models: number of the models.
        tasks_of_runs: number of tasks that make the runs.
    """
    if is_by_minutes(pack):
        return pack
    return str(max(1, min(int(pack), models // tasks_of_runs))) if tasks_of_runs else ONE_EACH


def packed(step_ids: Sequence[str], pack: str, seconds: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Return tasks of one step or more, in order.

    Args:
        step_ids: ids of the steps.
        pack: number of runs, or of minutes.
        seconds: time that each step is expected to take. Where minutes count, a step whose time is not known
            has a task of its own.
    """
    if not is_by_minutes(pack):
        size = int(pack)
        return [tuple(step_ids[start : start + size]) for start in range(0, len(step_ids), size)]
    limit = 60.0 * int(pack[:-1])
    tasks: list[tuple[str, ...]] = []
    room = 0.0
    for step in step_ids:
        needed = seconds.get(step, limit)
        if tasks and needed <= room:
            tasks[-1] = (*tasks[-1], step)
        else:
            tasks.append((step,))
            room = limit
        room -= needed
    return tasks
