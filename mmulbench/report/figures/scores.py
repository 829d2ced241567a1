"""Draw association scores of forget, retain and unrelated pairs before and after, as small multiples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mmulbench.records.schema import ScoreHistogram
from mmulbench.report.aggregate import ORIGINAL, RETRAIN, MethodRow
from mmulbench.report.figures.picture import Absent, Picture, Subject, title_of
from mmulbench.report.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PER_SHEET = 5
"""Methods on one sheet, besides retrain, which is on each: about 1,500 pixels high."""

PAIR_COLOURS = {"forget": COLOURS[1], "retain": COLOURS[0], "unrelated": COLOURS[2]}


@dataclass(frozen=True)
class Panel:
    """Holds one method's counts on one association path, pooled over the seeds where bins allow it."""

    label: str
    path: str
    histogram: ScoreHistogram
    seeds: tuple[int, ...]
    pooled: bool

    @property
    def title(self) -> str:
        """Method, path, and the seed where the seeds could not be pooled."""
        note = "" if self.pooled else f" (seed {self.seeds[0]} only: bins differ)"
        return f"{self.label}, {self.path}{note}"


def score_figures(subject: Subject) -> list[Picture] | Absent:
    """Show association scores, by sheets with one row for each method and one column for each path.

    Retrain's row is the first of every sheet. The original has no row: the outlines in every panel are its
    scores.

    Args:
        subject: the table.

    Returns:
        The sheets, whose titles have a number where there are several.
    """
    import pandas as pd

    group, title = subject.table, title_of(subject.table)
    rows = [list(_panels(row)) for row in group.rows if row.method not in (ORIGINAL, RETRAIN)]
    retrain = [panel for row in group.rows if row.method == RETRAIN for panel in _panels(row)]
    rows = [panels for panels in rows if panels]
    sheets = [rows[start : start + PER_SHEET] for start in range(0, len(rows), PER_SHEET)]
    if retrain and not sheets:
        sheets = [[]]
    pictures = []
    for number, sheet in enumerate(sheets, start=1):
        numbered = f"{title}\nsheet {number} of {len(sheets)}" if len(sheets) > 1 else title
        panels = [*retrain, *(panel for of_row in sheet for panel in of_row)]
        table = pd.DataFrame([line for panel in panels for line in _lines(panel)])
        pictures.append(Picture(table, partial(_sheet, panels, numbered)))
    return pictures or Absent("no record holds histograms of scores")


def _sheet(panels: list[Panel], title: str) -> Figure:
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(panel.label for panel in panels))
    paths = sorted({panel.path for panel in panels})
    figure = Figure(figsize=(3.6 * len(paths) + 2.2, 1.5 * len(labels) + 1.1), layout="constrained")
    grid = figure.subplots(len(labels), len(paths), squeeze=False, sharex="col")
    for axes in grid.flat:
        axes.set_axis_off()
    for panel in panels:
        _draw(grid[labels.index(panel.label), paths.index(panel.path)], panel)
    for axes, path in zip(grid[-1], paths, strict=True):
        axes.set_xlabel("association score")
        axes.set_xlim(_occupied([panel.histogram for panel in panels if panel.path == path]))
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    _legend(figure)
    return figure


def _panels(row: MethodRow) -> Iterator[Panel]:
    """Pool each path's counts over seeds where all have the same edges, else take the first seed's."""
    for path in sorted({path for record in row.done for path in record.histograms}):
        records = [record for record in row.done if path in record.histograms]
        histograms = [record.histograms[path] for record in records]
        seeds = tuple(dict.fromkeys(record.spec.seed for record in records))
        pooled = all(histogram.edges == histograms[0].edges for histogram in histograms)
        if pooled:
            yield Panel(row.label, path, _sum(histograms), seeds, pooled)
        else:
            yield Panel(row.label, path, histograms[0], seeds[:1], pooled)


def _sum(histograms: list[ScoreHistogram]) -> ScoreHistogram:
    def total(sides: list[dict[str, list[int]]]) -> dict[str, list[int]]:
        names = dict.fromkeys(pairs for side in sides for pairs in side)
        found = {pairs: [side[pairs] for side in sides if pairs in side] for pairs in names}
        return {pairs: np.sum(counts, axis=0).tolist() for pairs, counts in found.items()}

    before, after = [h.before for h in histograms], [h.after for h in histograms]
    return ScoreHistogram(edges=histograms[0].edges, before=total(before), after=total(after))


def _occupied(histograms: list[ScoreHistogram]) -> tuple[float, float]:
    """Return the span of the bins that hold any score; of all bins where none does."""
    spans = [
        (histogram.edges[index], histogram.edges[index + 1])
        for histogram in histograms
        for side in (histogram.before, histogram.after)
        for counts in side.values()
        for index in np.flatnonzero(counts)
    ]
    spans = spans or [(histogram.edges[0], histogram.edges[-1]) for histogram in histograms]
    return min(left for left, _ in spans), max(right for _, right in spans)


def _density(counts: list[int], edges: list[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Turn counts of k bins into a density of unit area (zero where there are no pairs)."""
    density: np.ndarray[Any, np.dtype[np.float64]] = np.asarray(counts) / (
        max(sum(counts), 1) * np.diff(edges)
    )
    return density


def _draw(axes: Axes, panel: Panel) -> None:
    edges = panel.histogram.edges
    axes.set_axis_on()
    for pairs, counts in panel.histogram.after.items():
        axes.stairs(_density(counts, edges), edges, fill=True, alpha=0.4, color=PAIR_COLOURS.get(pairs))
    for pairs, counts in panel.histogram.before.items():
        colour = PAIR_COLOURS.get(pairs)
        axes.stairs(_density(counts, edges), edges, color=colour, linewidth=1.2, linestyle=(0, (3, 1.5)))
    axes.set_title(panel.title, fontsize=9)
    axes.set_yticks([])
    axes.set_ylim(bottom=0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelbottom=True, labelsize=8)
    axes.grid(visible=False)


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = []
    for pairs, colour in PAIR_COLOURS.items():
        handles.append(Patch(color=colour, alpha=0.4, label=f"{pairs} pairs, after"))
        handles.append(Line2D([], [], color=colour, linestyle=(0, (3, 1.5)), label=f"{pairs} pairs, before"))
    figure.legend(handles=handles, loc="outside right upper")


def _lines(panel: Panel) -> Iterator[dict[str, object]]:
    """Return the panel's bins, one line each."""
    edges = panel.histogram.edges
    for when, side in (("before", panel.histogram.before), ("after", panel.histogram.after)):
        for pairs, counts in side.items():
            for i, density in enumerate(_density(counts, edges)):
                yield {
                    "method": panel.label,
                    "path": panel.path,
                    "seeds": " ".join(map(str, panel.seeds)),
                    "when": when,
                    "pairs": pairs,
                    "left": edges[i],
                    "right": edges[i + 1],
                    "count": counts[i],
                    "density": density,
                }
