"""Draw the attack's true-positive rate against its false-positive rate, both logarithmic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mmulbench.metrics.catalogue import with_role
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import UnusableUnits, read_units
from mmulbench.report.aggregate import MethodRow, RecordGroup
from mmulbench.report.columns import Column, furthest, part_columns
from mmulbench.report.figures.picture import (
    SIZE,
    Absent,
    Picture,
    Subject,
    methods_by_gap,
    shortened,
    title_of,
)
from mmulbench.report.style import BLACK, COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

MODELS = {"original": "original_loss", "method": "loss", "retrain": "retrain_loss"}
"""Columns of scores by unit, by the model whose losses they are."""

MOST, COLUMNS = 15, 3
"""Most methods in a figure, those closest to retrain, and how many stand side by side."""

NAME_WIDTH, NOTE_WIDTH = 21, 84
"""Characters of a name above a panel, and of a line below three of them."""

POINTS = 200
"""False-positive rates at which a curve is computed."""

NAMED_AT = 0.75
"""Part of a curve, from left to right, beside which its name stands."""

LOWEST = 1e-3
"""Least rate that is drawn where there are units enough."""

NAMED = (0.01, 0.001)
"""False-positive rates whose true-positive rate is written down, where one unit is no more than that."""

MISSING = (
    "no record has its scores by unit beside it (it was made with --no-units); "
    "`mmulbench run … --overwrite always` makes them"
)


@dataclass(frozen=True)
class Curve:
    """Holds the attack on one model, means over seeds.

    Attributes:
        model: ``original``, ``method`` or ``retrain``.
        fpr: rates of test units that are taken for members.
        tpr: rates of forget units that are.
    """

    model: str
    fpr: Floats
    tpr: Floats


@dataclass(frozen=True)
class Attacked:
    """Holds the attacks on one method's worst path.

    Attributes:
        name: what the method is called.
        path: the path.
        curves: one for each model that has losses.
        seeds: number of seeds.
        forget: least number of forget units of a seed: a rate below 1 / n is none.
        test: the same of test units.
    """

    name: str
    path: str
    curves: tuple[Curve, ...]
    seeds: int
    forget: int
    test: int


def roc_figure(subject: Subject) -> Picture | Absent:
    """Show how many deleted units an attack finds that takes few others for them (Carlini et al. 2022).

    The attacker takes the units of lowest mean loss for members: units of the forget set against test units,
    on the path on which the attack's AUC is furthest from retrain's. Curves are means over seeds of the
    true-positive rate, and end where one unit is the whole rate.

    Args:
        subject: the table, and the results folder where scores by unit lie beside the records.
    """
    import pandas as pd

    if subject.results is None:
        return Absent(MISSING)
    found = [
        attacked
        for row, name in methods_by_gap(subject.table)
        if (attacked := _attacked(row, name, ResultsStore(subject.results))) is not None
    ]
    if not found:
        return Absent(MISSING)
    table = pd.DataFrame([line for attacked in found for line in _lines(attacked)])
    return Picture(table, partial(_draw, subject.table, found))


def _attacked(row: MethodRow, name: str, store: ResultsStore) -> Attacked | None:
    """Attack a method's worst path by the scores that lie beside its records; None where none do."""
    (attack,) = with_role("forgetting")
    worst = furthest(row, part_columns([Column.of(attack)], row.done))
    if worst is None:
        return None
    path = worst.name.partition("/")[2]
    losses = [one for record in row.done if (one := _losses(store, record, path))]
    if not losses:
        return None
    forget, test = (min(len(one["method"][side]) for one in losses) for side in (0, 1))
    rates = np.geomspace(max(LOWEST, 1 / test), 1, POINTS)
    curves = [
        Curve(model, rates, np.mean([true_positives(*one[model], rates) for one in losses], axis=0))
        for model in MODELS
        if all(model in one for one in losses)
    ]
    return Attacked(name, path, tuple(curves), len(losses), forget, test)


def _losses(store: ResultsStore, record: RunResult, path: str) -> Mapping[str, tuple[Floats, Floats]]:
    """Return the losses of forget units and of test units by model; empty without scores by unit."""
    if record.units is None:
        return {}
    units = read_units(store.path_of(record), record.units)
    if isinstance(units, UnusableUnits):
        return {}
    frame = units.to_pandas()
    frame = frame[frame["path"] == path]
    sides = [frame[frame["split"] == split] for split in ("forget", "test")]
    if any(side.empty for side in sides):
        return {}
    return {
        model: (sides[0][column].to_numpy(), sides[1][column].to_numpy())
        for model, column in MODELS.items()
        if not any(side[column].isna().any() for side in sides)
    }


def true_positives(members: Floats, others: Floats, rates: Floats) -> Floats:
    """Return which rate of members a threshold on the loss finds at each rate of others.

    A threshold takes all losses below it, so that units of equal loss go together: where that takes more
    others than the rate allows, none of them is taken.

    Args:
        members: (n,) losses of units that were deleted.
        others: (m,) losses of units that no model was trained on.
        rates: (k,) false-positive rates.

    Returns:
        (k,) true-positive rates, the largest that keep to the false-positive rate.
    """
    thresholds = np.unique(np.concatenate([members, others, [np.inf]]))
    found = np.searchsorted(np.sort(members), thresholds, side="left") / len(members)
    wrong = np.searchsorted(np.sort(others), thresholds, side="left") / len(others)
    best: Floats = found[np.searchsorted(wrong, np.asarray(rates) + 1e-12, side="right") - 1]
    return best


def _lines(attacked: Attacked) -> Iterator[dict[str, object]]:
    """Yield the points of a method's curves."""
    for curve in attacked.curves:
        for fpr, tpr in zip(curve.fpr, curve.tpr, strict=True):
            yield {
                "method": attacked.name,
                "path": attacked.path,
                "seeds": attacked.seeds,
                "forget_units": attacked.forget,
                "test_units": attacked.test,
                "model": curve.model,
                "fpr": fpr,
                "tpr": tpr,
            }


def _draw(group: RecordGroup, attacks: Sequence[Attacked]) -> Figure:
    from matplotlib.figure import Figure

    shown, left_out = attacks[:MOST], attacks[MOST:]
    wide = min(COLUMNS, len(shown))
    tall = -(-len(shown) // wide)
    figure = Figure(figsize=(SIZE[0] * max(wide, 2) / COLUMNS, 1.2 + 1.8 * tall), layout="constrained")
    grid = figure.subplots(tall, wide, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    low = (max(LOWEST, min(1 / one.test for one in shown)), max(LOWEST, min(1 / one.forget for one in shown)))
    for axes, attacked, place in zip(grid.flat, shown, range(len(shown)), strict=False):
        _draw_panel(axes, attacked, COLOURS[place % len(COLOURS)], low)
    _name_curves(grid[0, 0], shown[0])
    notes = ["rate of test units that are taken for deleted ones"]
    if any(list(_found(one)) for one in shown):
        notes.append("in a panel: what is found at this rate by original → method (retrain)")
    if left_out:
        notes.append(f"closest {MOST} to retrain; {len(left_out)} more are in the table")
    lines = [line for note in notes for line in wrap(note, NOTE_WIDTH * max(wide, 2) // COLUMNS)]
    figure.supxlabel("\n".join(lines), fontsize=7.5)
    figure.supylabel("rate of deleted units that are found", fontsize=7.5)
    figure.suptitle(title_of(group), x=0.01, ha="left", fontsize=9)
    return figure


def _draw_panel(axes: Axes, attacked: Attacked, colour: str, low: tuple[float, float]) -> None:
    """Draw a method's curves; both axes begin at the rate that is one unit."""
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low[0], 1)
    axes.set_ylim(low[1], 1.05)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=5))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.plot([max(low), 1], [max(low), 1], color=GREY, linewidth=0.7, linestyle=":")
    for curve in attacked.curves:
        drawn = curve.tpr >= 1 / attacked.forget
        style = {"original": (GREY, 1.2), "retrain": (BLACK, 1.2)}.get(curve.model, (colour, 2.0))
        axes.plot(curve.fpr[drawn], curve.tpr[drawn], color=style[0], linewidth=style[1])
    axes.set_title(f"{shortened(attacked.name, NAME_WIDTH)}\n{attacked.path}", fontsize=7.5, color=colour)
    axes.tick_params(labelsize=7, which="both")
    text = axes.text(
        0.97, 0.03, "\n".join(_found(attacked)), fontsize=6, ha="right", transform=axes.transAxes
    )
    text.set_path_effects([withStroke(linewidth=1.6, foreground="white")])


def _found(attacked: Attacked) -> Iterator[str]:
    """Yield what is found at small rates, where there are test units enough to speak of them."""
    for rate in NAMED:
        if attacked.test * rate >= 1:
            by_model = {curve.model: np.interp(rate, curve.fpr, curve.tpr) for curve in attacked.curves}
            said = " → ".join(f"{by_model[one]:.2f}" for one in ("original", "method") if one in by_model)
            beside = f" ({by_model['retrain']:.2f})" if "retrain" in by_model else ""
            yield f"{100 * rate:g} %: {said}{beside}".replace("0.", ".")


def _name_curves(axes: Axes, attacked: Attacked) -> None:
    """Write beside the curves of the first panel which of them are the original's and retrain's."""
    place = int(NAMED_AT * POINTS)
    found = {curve.model: curve for curve in attacked.curves if curve.model != "method"}
    upper = max(found, key=lambda model: found[model].tpr[place])
    for model, curve in found.items():
        above, colour = model == upper, GREY if model == "original" else BLACK
        axes.annotate(
            model,
            (curve.fpr[place], max(curve.tpr[place], 2 / attacked.forget)),
            (-3, 3) if above else (3, -3),
            textcoords="offset points",
            color=colour,
            fontsize=7,
            ha="right" if above else "left",
            va="bottom" if above else "top",
        )
