"""Place the rows of a table in the planes of its plots: forgetting and retention, cost and gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mmulbench.report.noise_floor import GAP
from mmulbench.report.standing import MAIN, Line, Measure
from mmulbench.report.standing_view import attack_text, cost_text, gap_text, is_below, short
from mmulbench.site.gather import SiteTable

TEST = "test"
DIGITS = 6
"""Digits after the point of what is drawn."""

ABSENT = "–"
"""What stands where there is no number."""


@dataclass(frozen=True)
class Point:
    """Holds where a row lies in both planes, and what is said of it.

    Attributes:
        row: number of the row in its table, from 0.
        name: what the row is called.
        kind: how it is drawn: ``retrain``, ``noise``, ``original``, ``ranked``, ``out`` or ``below``.
        rank: its rank; None where it has none.
        verdict: what the verdicts on its runs come to.
        attack: mean distance of the attack's AUC to retrain's, on its furthest path; None where unknown.
        test: test utility.
        cost: seconds of unlearning as a part of retrain's; None where unknown or none were taken.
        gap: mean distance to retrain.
        said: its values in words, for what is shown beside a point.
    """

    row: int
    name: str
    kind: str
    rank: int | None
    verdict: str
    attack: float | None
    test: float | None
    cost: float | None
    gap: float | None
    said: tuple[str, ...]


def points_of(table: SiteTable) -> list[Point]:
    """Return the points of the rows of the first table, variants and models from elsewhere left out.

    Args:
        table: the table.
    """
    return [
        _point(place, row.line)
        for place, row in enumerate(table.rows)
        if row.line.block in MAIN and row.line.measures
    ]


def plot_data(table: SiteTable) -> dict[str, Any]:
    """Return what the page's script draws, as JSON holds it.

    Args:
        table: the table.
    """
    noise = {"attack": table.noise.attack, "test": table.noise.test, "gap": table.standing.floor}
    points = [{name: _rounded(value) for name, value in asdict(one).items()} for one in points_of(table)]
    return {"points": points, "noise": {name: _rounded(value) for name, value in noise.items()}}


def number_rows(table: SiteTable) -> list[tuple[str, ...]]:
    """Return the numbers of both plots as text: name, attack's distance, test utility, cost, and gap.

    Args:
        table: the table.
    """
    return [
        (one.name, _text(one.attack), _text(one.test), _text(one.cost, 4), _text(one.gap))
        for one in points_of(table)
    ]


def summary(table: SiteTable) -> str:
    """Say in a sentence or two what the plots show, for who does not see them.

    Args:
        table: the table.
    """
    found = points_of(table)
    ranked = sorted((one for one in found if one.rank is not None), key=lambda one: one.gap or 0.0)
    below = sum(one.kind == "below" for one in found)
    nearest = ", ".join(f"{one.name} ({_text(one.gap)})" for one in ranked[:3])
    parts = [f"{len(found)} rows are drawn"]
    if nearest:
        parts.append(f"the smallest gaps of ranked methods are those of {nearest}")
    if below:
        parts.append(f"{below} never forgot")
    return "; ".join(parts) + ". The table of their numbers is below."


def _point(place: int, line: Line) -> Point:
    attack = 0.0 if line.method == "retrain" else _distance(line)
    ratio = None if line.ratio is None or line.method == "original" else line.ratio.mean
    return Point(
        place,
        line.name,
        _kind(line),
        line.rank,
        line.verdict,
        attack,
        _mean(line.measures.get(TEST)),
        ratio if ratio and ratio > 0 else None,
        _mean(line.measures.get(GAP)),
        tuple(_said(line)),
    )


def _distance(line: Line) -> float | None:
    """Return the attack's distance on the furthest path, or for retrain′, which has no such, the largest."""
    measures = [line.measures.get(line.worst)]
    if line.block == "reference":
        measures = [one for name, one in line.measures.items() if name.startswith("mia/")]
    known = [one.distance for one in measures if one is not None and one.distance is not None]
    return max(known, default=None)


def _kind(line: Line) -> str:
    if line.method in ("retrain", "original"):
        return line.method
    if line.block == "reference":
        return "noise"
    if is_below(line):
        return "below"
    return "out" if line.out else "ranked"


def _said(line: Line) -> Iterator[str]:
    """Yield the values of a line in words."""
    yield line.verdict if line.rank is None else f"rank {line.rank}, {line.verdict}"
    yield f"gap {gap_text(line)}"
    if line.worst:
        yield f"worst attack (retrain) {attack_text(line)}"
    if TEST in line.measures:
        yield f"test {short(line.measures[TEST].mean)}"
    if line.ratio is not None:
        yield f"time {cost_text(line)} of retrain's".replace("× of", "times")


def _mean(measure: Measure | None) -> float | None:
    return None if measure is None else measure.mean


def _rounded(value: Any) -> Any:
    """Leave of a number what a plot can show, which is the same on every machine."""
    return round(value, DIGITS) if isinstance(value, float) else value


def _text(value: float | None, decimals: int = 3) -> str:
    return ABSENT if value is None else short(value, decimals)
