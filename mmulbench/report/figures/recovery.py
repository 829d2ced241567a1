"""Draw how fast what was deleted comes back when models are trained on half of it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from textwrap import wrap
from typing import TYPE_CHECKING

from mmulbench.core.registry import METRICS
from mmulbench.records.schema import RunResult
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
from mmulbench.report.relearn_table import RELEARN, steps_of
from mmulbench.report.style import BLACK, COLOURS, GREY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Dashes = str | tuple[float, tuple[float, ...]]

MODELS = {"original": "original", "retrain": "retrain", "method": "value"}
"""Fields of a value, by the model whose number they are; the method is drawn last, above the others."""

LINES: Mapping[str, Dashes] = {"shown": "-", "held_out": (0, (3, 1.5))}
"""How the halves of the forget set are drawn."""

MOST, COLUMNS = 15, 3
"""Most methods in a figure, those closest to retrain, and how many stand side by side."""

NAME_WIDTH, NOTE_WIDTH = 21, 84
"""Characters of a name above a panel, and of a line below three of them."""

MISSING = "no record holds relearning; `mmulbench evaluate RECORD --metrics relearn` adds it to one"


@dataclass(frozen=True)
class Recovered:
    """Holds how a method's model learns again on the path where it is furthest from retrain.

    Attributes:
        name: what the method is called.
        path: the path.
        records: its records that hold relearning on this path.
        points: numbers of steps, by half of the forget set.
    """

    name: str
    path: str
    records: tuple[RunResult, ...]
    points: dict[str, list[int]]


def recovery_figure(subject: Subject) -> Picture | Absent:
    """Show the attack's AUC against training steps on half of the forget set, for each method.

    It is drawn on the path where `RELEARN` is furthest from retrain's: the half that is trained on and the
    half that is held out, of the original, retrain and the method. Curves are means over the seeds whose
    records hold the measurement.

    Args:
        subject: the table.
    """
    import pandas as pd

    found = [one for row, name in methods_by_gap(subject.table) if (one := _recovered(row, name)) is not None]
    if not found:
        return Absent(MISSING)
    table = pd.DataFrame([line for one in found for line in _lines(one)])
    return Picture(table, partial(_draw, subject.table, found, table))


def _recovered(row: MethodRow, name: str) -> Recovered | None:
    """Return what a method's records hold; None where none holds relearning."""
    worst = furthest(row, part_columns([Column.of(METRICS.get(RELEARN)(RELEARN))], row.done))
    if worst is None:
        return None
    path = worst.name.partition("/")[2]
    records = tuple(record for record in row.done if worst.name in record.values)
    common = set.intersection(*(set(record.values) for record in records))
    return Recovered(name, path, records, steps_of(worst.name, common))


def _lines(one: Recovered) -> Iterator[dict[str, object]]:
    """Yield the points of a method's curves."""
    for model, field in MODELS.items():
        for half, steps in one.points.items():
            for step in steps:
                name = f"{RELEARN}/{one.path}/{half}_{step}"
                yield {
                    "method": one.name,
                    "path": one.path,
                    "seeds": len(one.records),
                    "model": model,
                    "half": half,
                    "steps": step,
                    "auc": fmean(getattr(record.values[name], field) for record in one.records),
                }


def _draw(group: RecordGroup, found: Sequence[Recovered], table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    shown, left_out = found[:MOST], found[MOST:]
    wide = min(COLUMNS, len(shown))
    tall = -(-len(shown) // wide)
    figure = Figure(figsize=(SIZE[0] * max(wide, 2) / COLUMNS, 1.2 + 1.8 * tall), layout="constrained")
    grid = figure.subplots(tall, wide, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    steps = sorted(set(table["steps"]))
    for place, (axes, one) in enumerate(zip(grid.flat, shown, strict=False)):
        _draw_panel(axes, one, table[table["method"] == one.name], COLOURS[place % len(COLOURS)], steps)
        axes.tick_params(labelbottom=place + wide >= len(shown))
    _name_curves(grid[0, 0], table[table["method"] == shown[0].name], steps)
    notes = ["training steps; lines: the half of the forget set that is trained on, dashes: the other"]
    if left_out:
        notes.append(f"closest {MOST} to retrain; {len(left_out)} more are in the table")
    lines = [line for note in notes for line in wrap(note, NOTE_WIDTH * max(wide, 2) // COLUMNS)]
    figure.supxlabel("\n".join(lines), fontsize=7.5)
    figure.supylabel("attack AUC", fontsize=7.5)
    figure.suptitle(title_of(group), x=0.01, ha="left", fontsize=9)
    return figure


def _draw_panel(axes: Axes, one: Recovered, table: pd.DataFrame, colour: str, steps: Sequence[int]) -> None:
    """Draw a method's curves; numbers of steps, which double, stand at equal distances after 0."""
    style = {"original": (GREY, 1.2), "retrain": (BLACK, 1.2), "method": (colour, 2.0)}
    for model, (ink, width) in style.items():
        for half, dashes in LINES.items():
            line = table[(table["model"] == model) & (table["half"] == half)]
            places = [steps.index(step) for step in line["steps"]]
            axes.plot(places, line["auc"], color=ink, linewidth=width, linestyle=dashes)
    axes.set_xticks(range(len(steps)), [f"{step}" for step in steps])
    axes.set_title(f"{shortened(one.name, NAME_WIDTH)}\n{one.path}", fontsize=7.5, color=colour)
    axes.tick_params(labelsize=7)
    axes.margins(y=0.12)


def _name_curves(axes: Axes, table: pd.DataFrame, steps: Sequence[int]) -> None:
    """Write beside the held-out curves of the first panel which of them are the original's and retrain's."""
    held_out = table[(table["half"] == "held_out") & (table["model"] != "method")]
    last = held_out[held_out["steps"] == held_out["steps"].max()].set_index("model")["auc"]
    upper = last.idxmax()
    for model, auc in last.items():
        axes.annotate(
            str(model),
            (len(steps) - 1, auc),
            (0, 4 if model == upper else -4),
            textcoords="offset points",
            color=GREY if model == "original" else BLACK,
            fontsize=7,
            ha="right",
            va="bottom" if model == upper else "top",
        )
