"""Draw which metrics order the methods of a table alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit
from scipy.stats import spearmanr

from mmulbench.metrics.catalogue import ORDER, with_role
from mmulbench.report.aggregate import MethodRow, RecordGroup, SeedSummary
from mmulbench.report.columns import Column, choose_columns, furthest, part_columns
from mmulbench.report.figures.picture import SIZE, Absent, Picture, Subject, methods_by_gap, title_of
from mmulbench.report.noise_floor import GAP
from mmulbench.report.style import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LEAST = 5
"""Fewest methods that a rank correlation is computed of."""

LEFT_OUT = ("decoupling", "mi_ratio")
"""Metrics without a headline, and whose ratio explodes where nothing is remembered."""

LEVEL = 0.05


@dataclass(frozen=True)
class Measure:
    """Says how far methods are from retrain by one metric: the larger, the further, or the dearer.

    Attributes:
        name: what it is called.
        number: returns the number of a row; None where it has none.
    """

    name: str
    number: Callable[[MethodRow], SeedSummary | None]


def agreement_figure(subject: Subject) -> Picture | Absent:
    """Show Spearman's rank correlation over methods between metrics, in a heat map.

    Each metric counts as a distance to retrain (mean over seeds, of several paths the furthest), agreement
    the other way round, so that a positive correlation means that two metrics say the same.

    Args:
        subject: the table.
    """
    import pandas as pd

    rows = methods_by_gap(subject.table)
    if len(rows) < LEAST:
        return Absent(f"it takes {LEAST} methods with values, and there are {len(rows)}")
    measures = _measures([row for row, _ in rows])
    numbers = np.array([[_mean(measure.number(row)) for measure in measures] for row, _ in rows])
    kept = [place for place in range(len(measures)) if _differs(numbers[:, place])]
    names = [measures[place].name for place in kept]
    if len(names) < 2:
        return Absent("no two metrics have values of enough methods")
    table = pd.DataFrame(_lines(names, numbers[:, kept]))
    return Picture(table, partial(_draw, subject.table, names, table))


def _measures(rows: Sequence[MethodRow]) -> list[Measure]:
    """Return the metrics that any row has values of, in the order of records, the gap first and cost last."""
    found = [Measure("gap", lambda row: row.summary(GAP))]
    recorded = {name.split("/")[0] for row in rows for record in row.done for name in record.values}
    utilities = {metric.name for metric in with_role("utility")}
    names = [one for one in ORDER if one in recorded and one not in (GAP, *LEFT_OUT)]
    for column in choose_columns(names, {}):
        parts = part_columns([column], [record for row in rows for record in row.done])
        if column.direction == "higher" and column.metric not in utilities:
            found.append(Measure(f"1 − {column.title}", partial(_negative, key=column.name)))
        elif column.direction == "lower":
            found.append(Measure(column.title, partial(_own, key=column.name)))
        else:
            found.append(Measure(f"|Δ {column.title}|", partial(_furthest, parts=parts)))
    return [*found, Measure("time / retrain", lambda row: row.cost("seconds_ratio"))]


def _own(row: MethodRow, key: str) -> SeedSummary | None:
    return row.summary(key)


def _negative(row: MethodRow, key: str) -> SeedSummary | None:
    return SeedSummary.of(-number for number in row.by_seed(key).values())


def _furthest(row: MethodRow, parts: Sequence[Column]) -> SeedSummary | None:
    column = furthest(row, parts)
    return None if column is None else row.distance(column.name)


def _mean(summary: SeedSummary | None) -> float:
    return math.nan if summary is None else summary.mean


def _differs(numbers: np.ndarray) -> bool:
    """Check whether enough methods have a number, and not all the same."""
    known = numbers[np.isfinite(numbers)]
    return len(known) >= LEAST and len(set(known)) > 1


def _lines(names: Sequence[str], numbers: np.ndarray) -> list[dict[str, object]]:
    """Return the correlation of each pair of metrics over the methods that have both."""
    lines = []
    for one, first in enumerate(names):
        for other in range(one):
            both = numbers[np.isfinite(numbers[:, [one, other]]).all(axis=1)][:, [one, other]]
            enough = _differs(both[:, 0]) and _differs(both[:, 1])
            rho = float(spearmanr(both[:, 0], both[:, 1]).statistic) if enough else math.nan
            lines.append({"metric": first, "other": names[other], "methods": len(both), "rho": rho})
    return lines


def chance_bound(n: int) -> float:
    """Return about how large a rank correlation of n methods is by chance, in 95 of 100 cases.

    Args:
        n: number of methods, at least 3.
    """
    t = float(stdtrit(n - 2, 1 - LEVEL / 2))
    return t / math.sqrt(n - 2 + t * t)


def _draw(group: RecordGroup, names: Sequence[str], table: pd.DataFrame) -> Figure:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    side = max(SIZE[1], 0.36 * len(names) + 1.6)
    figure = Figure(figsize=(max(SIZE[0], side), side), layout="constrained")
    axes = figure.subplots()
    grid = np.full((len(names), len(names)), np.nan)
    for line in table.to_dict("records"):
        row, column, rho = names.index(line["metric"]), names.index(line["other"]), line["rho"]
        grid[row, column] = rho
        if math.isfinite(rho):
            shade = "white" if abs(rho) > 0.6 else "black"
            text = f"{rho:.2f}".replace("0.", ".").replace("-", "−")
            axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=shade)
    colours = LinearSegmentedColormap.from_list("agreement", [COLOURS[1], "white", COLOURS[0]])
    axes.imshow(
        grid[1:, :-1], cmap=colours, vmin=-1, vmax=1, extent=(-0.5, len(names) - 1.5, len(names) - 0.5, 0.5)
    )
    axes.set_yticks(range(1, len(names)), names[1:], fontsize=7)
    axes.set_xticks(
        range(len(names) - 1), names[:-1], fontsize=7, rotation=40, ha="right", rotation_mode="anchor"
    )
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    most = int(table["methods"].max())
    note = f"Spearman's ρ over {most} methods; |ρ| below about {chance_bound(most):.2f} it may be chance"
    axes.set_title(note.replace("0.", "."), fontsize=7.5)
    figure.suptitle(title_of(group), x=0.01, ha="left", fontsize=9)
    return figure
