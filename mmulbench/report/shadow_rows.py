"""Summarise over seeds what attacks with shadow models tell of the runs of a row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from mmulbench.report.aggregate import MethodRow
from mmulbench.report.standing import ShadowAttack

ATTACK = "u_lira"
"""The attack that a row is known by: it knows the method and tells its models from retrained ones."""


class OverModels(NamedTuple):
    """Holds a value over seeds with its 95 % interval over models, whose ends are None where unknown."""

    mean: float
    low: float | None
    high: float | None


def over_models(row: MethodRow, key: str) -> OverModels | None:
    """Return a value of a row, the mean over its seeds; None where no seed has it.

    Seeds are independent, so the half widths of their intervals are added in squares.

    Args:
        row: the runs.
        key: name of the value in records, such as ``u_lira/matching``.
    """
    summary = row.summary(key)
    if summary is None:
        return None
    ends = [
        (value.low, value.high)
        for _, value in row.values(key)
        if value.low is not None and value.high is not None
    ]
    if len(ends) < summary.n:
        return OverModels(summary.mean, None, None)
    if summary.n == 1:
        return OverModels(summary.mean, *ends[0])
    half = math.sqrt(sum(((high - low) / 2) ** 2 for low, high in ends)) / len(ends)
    return OverModels(summary.mean, summary.mean - half, summary.mean + half)


def strongest(row: MethodRow) -> ShadowAttack | None:
    """Return what the attacker tells on the path where that is most, by the most models that a run has.

    Args:
        row: the runs.
    """
    models = max((record.shadows for record in row.done), default=0)
    judged = replace(row, records=tuple(record for record in row.done if record.shadows == models))
    keys = sorted(
        {name.rpartition("/")[0] for record in judged.done for name in record.values if _is_control(name)}
    )
    found = [one for key in keys if (one := _on_path(judged, key, models)) is not None]
    return max(found, key=lambda one: one.forget - one.test, default=None)


def _is_control(name: str) -> bool:
    return name.startswith(f"{ATTACK}/") and name.endswith("/test")


def _on_path(row: MethodRow, key: str, models: int) -> ShadowAttack | None:
    forget, test = over_models(row, f"{key}/forget"), over_models(row, f"{key}/test")
    if forget is None or test is None:
        return None
    seeds = tuple(sorted(row.by_seed(f"{key}/forget")))
    return ShadowAttack(key.partition("/")[2], models, seeds, *forget, test.mean)
