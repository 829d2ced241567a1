"""Rank methods over all tasks, and say by how much mean ranks must differ to be different."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from mmulbench.report.standing import Block, Line, Standing

Tests = tuple[float | None, float | None, bool]
"""P-value, critical difference, and whether some methods differ."""

MINIMUM_TASKS = 5
"""With fewer tasks the chi-square distribution of Friedman's statistic is not to be relied upon."""

MINIMUM_METHODS = 3
"""Friedman's test compares three methods at least."""

NONE: Tests = (None, None, False)
"""What tests say that are not made."""

ORDER: tuple[Block, ...] = ("ranked", "out", "unforgotten")
"""Blocks that a method's place on a task is taken from, in the order of a table."""


@dataclass(frozen=True)
class MethodOverall:
    """Holds a method's places.

    Attributes:
        method: its name.
        mean: mean of its places.
        places: its place on each task, among the methods that all tasks have.
    """

    method: str
    mean: float
    places: tuple[float, ...]


@dataclass(frozen=True)
class Overall:
    """Holds what can be said over all tasks.

    Attributes:
        tasks: names of the tasks.
        methods: the methods that all of them have, the best first.
        p_value: of Friedman's test that all methods are alike; None where it is not made.
        difference: least difference of two mean ranks that is one, by Nemenyi's test; None as above.
        is_told: whether that test says that some differ.
        why_not: why no difference can be given; empty where one is.
    """

    tasks: tuple[str, ...]
    methods: tuple[MethodOverall, ...]
    p_value: float | None
    difference: float | None
    is_told: bool
    why_not: str


def largest_tables(standings: Iterable[Standing]) -> list[Standing]:
    """Return of each task the table in which most methods compete.

    Args:
        standings: all tables, in the order of their keys.
    """
    return [
        max(of_task, key=lambda one: len(one.of_blocks(*ORDER)))
        for _, of_task in groupby(standings, key=lambda one: one.key.task)
    ]


def overall(standings: Sequence[Standing]) -> Overall | None:
    """Rank methods over tasks by their place on each: as its table has them, by the gap in each block.

    Args:
        standings: all tables, in the order of their keys.

    Returns:
        The ranks; None where there are fewer than two tasks with methods in common.
    """
    tables = [one for one in largest_tables(standings) if _competing(one)]
    common = set.intersection(*({*_competing(one)} for one in tables)) if tables else set()
    if len(tables) < 2 or not common:
        return None
    names = sorted(common)
    places = [_places(one, names) for one in tables]
    methods = [
        MethodOverall(name, sum(of_task[i] for of_task in places) / len(places), tuple(p[i] for p in places))
        for i, name in enumerate(names)
    ]
    methods.sort(key=lambda one: (one.mean, one.method))
    why_not = _why_not(len(tables), len(names))
    p_value, difference, is_told = _tests([one.places for one in methods]) if not why_not else NONE
    tasks = tuple(one.key.task for one in tables)
    return Overall(tasks, tuple(methods), p_value, difference, is_told, why_not)


def _competing(standing: Standing) -> dict[str, Line]:
    """Return the best line of each method that has a gap, the best first."""
    found: dict[str, Line] = {}
    for block in ORDER:
        for line in sorted(standing.of_blocks(block), key=lambda one: one.gap):
            if line.method != "original" and math.isfinite(line.gap):
                found.setdefault(line.method, line)
    return found


def _places(standing: Standing, names: Sequence[str]) -> list[float]:
    """Return the place of each method among these; those that share a rank share their mean place."""
    lines = [line for name, line in _competing(standing).items() if name in names]
    found: dict[str, float] = {}
    while lines:
        alike = [one for one in lines if one is lines[0] or _share(one, lines[0])]
        found |= dict.fromkeys((one.method for one in alike), len(found) + (len(alike) + 1) / 2)
        lines = lines[len(alike) :]
    return [found[name] for name in names]


def _share(one: Line, other: Line) -> bool:
    return one.rank is not None and one.rank == other.rank


def _why_not(tasks: int, methods: int) -> str:
    if tasks < MINIMUM_TASKS:
        return f"it takes {MINIMUM_TASKS} tasks, and there are {tasks}"
    if methods < MINIMUM_METHODS:
        return f"it takes {MINIMUM_METHODS} methods that all tasks have, and there are {methods}"
    return ""


def _tests(places: Sequence[Sequence[float]]) -> Tests:
    """Return the p-value of Friedman's test, Nemenyi's critical difference, and whether some differ.

    Source: Demšar 2006, Statistical comparisons of classifiers over multiple data sets.

    Args:
        places: of each method its place on each task.
    """
    from scipy.stats import friedmanchisquare, studentized_range  # it takes a second to import

    from mmulbench.report.differences import LEVEL

    methods, tasks = len(places), len(places[0])
    p_value = float(friedmanchisquare(*places).pvalue)
    quantile = float(studentized_range.ppf(1 - LEVEL, methods, math.inf)) / math.sqrt(2)
    return p_value, quantile * math.sqrt(methods * (methods + 1) / (6 * tasks)), p_value < LEVEL


def overall_sentence(found: Overall) -> str:
    """Say whether mean ranks can be told apart."""
    if found.why_not:
        return f"No critical difference can be given: {found.why_not}."
    test = f"Friedman's test over {len(found.tasks)} tasks: p = {found.p_value or 0.0:.2g}"
    if not found.is_told:
        return f"{test}, so that no mean ranks can be told apart."
    return f"{test}; mean ranks over {found.difference or 0.0:.2f} apart are different (Nemenyi, 5 %)."
