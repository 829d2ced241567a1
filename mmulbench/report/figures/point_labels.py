"""Write the names of points beside them, by a greedy search for places where labels meet nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

DISTANCES = (1.5, 4.0, 9.0, 15.0, 22.0, 30.0, 40.0, 52.0, 66.0, 82.0, 100.0, 130.0, 160.0)
"""How far from a point a label is tried, in typographic points."""

DIRECTIONS = 24
"""In how many directions it is tried."""

LEADER = 4.5
"""Points between a label and what it names above which a line joins them."""

HARD, SOFT = 1000.0, 2.0
"""Cost of a square point of overlap with what must not be covered, and with what may be."""

DOUBT = 12.0
"""Cost of each marker that is nearer to a label than the label's own, or that its line crosses."""

PADDING = 0.8
"""Points that are kept free around a label."""

FONT_SIZE = 7.5


@dataclass(frozen=True)
class Named:
    """Holds a point that gets a label.

    Attributes:
        name: the label.
        x: its place in the axes' data.
        y: its place in the axes' data.
        colour: colour of the label.
        reach: points around its place that its marker covers.
        bars: half the lengths of its error bars in data, from left to right and from bottom to top.
    """

    name: str
    x: float
    y: float
    colour: str
    reach: float = 5.0
    bars: tuple[float, float] = (0.0, 0.0)


def write_labels(axes: Axes, points: Sequence[Named], levels: Sequence[float] = ()) -> None:
    """Write each point's name beside it, and join them by a line where they lie apart.

    The axes must have their final limits and place in the figure.

    Args:
        axes: where the points are drawn.
        points: the points.
        levels: heights of horizontal lines, which labels rather do not cover.
    """
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    scale = 72 / figure.dpi
    texts = [
        axes.annotate(
            point.name,
            (point.x, point.y),
            (0, 0),
            textcoords="offset points",
            color=point.colour,
            fontsize=FONT_SIZE,
            ha="center",
            va="center",
            zorder=6,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
        )
        for point in points
    ]
    extents = [text.get_window_extent() for text in texts]
    sizes = np.array([(one.width, one.height) for one in extents]) * scale + 2 * PADDING
    centres = _in_points(axes, [(point.x, point.y) for point in points], scale)
    reach = np.array([[point.reach] for point in points])
    markers = np.hstack([centres - reach, centres + reach])
    bounds = np.array(axes.get_window_extent().extents) * scale
    places = place(centres, sizes, markers, _lines(axes, points, levels, bounds, scale), bounds)
    for point, text, centre, size, spot in zip(points, texts, centres, sizes, places, strict=True):
        text.xyann = tuple(spot - centre)
        end = np.clip(centre, spot - size / 2, spot + size / 2)
        if np.hypot(*(end - centre)) - point.reach > LEADER:
            arrow = {"arrowstyle": "-", "color": point.colour, "linewidth": 0.5, "alpha": 0.6, "shrinkB": 2}
            axes.annotate(
                "", (point.x, point.y), end - centre, textcoords="offset points", arrowprops=arrow, zorder=2
            )


def place(centres: Floats, sizes: Floats, markers: Floats, lines: Floats, bounds: Floats) -> Floats:
    """Return the centre of each label, placed one after the other where it costs least.

    Boxes are left, bottom, right and top, all lengths in one unit.

    Args:
        centres: (n, 2) the points.
        sizes: (n, 2) width and height of their labels.
        markers: (n, 4) boxes that the points cover, which no label should meet.
        lines: (m, 4) boxes that labels rather do not meet.
        bounds: (4,) the box in which labels stay.

    Returns:
        (n, 2) the places.
    """
    hard, soft = markers, lines
    crowd = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    order = np.argsort(np.sort(crowd, axis=1)[:, : min(4, len(centres))].sum(axis=1), kind="stable")
    found = np.zeros_like(centres)
    for index in order:
        spots, distances = _spots(centres[index], sizes[index], markers[index])
        boxes = np.hstack([spots - sizes[index] / 2, spots + sizes[index] / 2])
        outside = np.prod(sizes[index]) - _overlap(boxes, bounds[None])
        others = np.delete(hard, index, axis=0)
        joins = np.stack([_join(centres[index], spot, sizes[index]) for spot in spots])
        crossed = _overlap(joins.reshape(-1, 4), others).reshape(len(spots), -1).sum(axis=1)
        nearer = _apart(boxes, np.delete(markers, index, axis=0)) < distances[:, None] + 1
        cost = HARD * (outside + _overlap(boxes, hard)) + SOFT * _overlap(boxes, soft) + distances
        cost += DOUBT * (nearer.sum(axis=1) + np.where(distances > LEADER, crossed, 0.0))
        best = int(np.argmin(cost))
        found[index] = spots[best]
        hard = np.vstack([hard, boxes[best]])
        if distances[best] > LEADER:
            soft = np.vstack([soft, joins[best]])
    return found


def _spots(centre: Floats, size: Floats, marker: Floats) -> tuple[Floats, Floats]:
    """Return places of a label around a point, and how far it then is from the point's marker."""
    angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reach = (marker[2] - marker[0]) / 2
    spots = [centre + ways * (size / 2 + reach + distance) for distance in DISTANCES]
    ends = [np.clip(centre, one - size / 2, one + size / 2) - centre for one in spots]
    return np.vstack(spots), np.maximum(np.hypot(*np.vstack(ends).T) - reach, 0.0)


def _join(centre: Floats, spot: Floats, size: Floats) -> Floats:
    """Return small boxes along the line from a point to its label."""
    end = np.clip(centre, spot - size / 2, spot + size / 2)
    steps = np.linspace(0.1, 0.95, 12)[:, None]
    along = centre + steps * (end - centre)
    return np.hstack([along - 1.5, along + 1.5])


def _overlap(boxes: Floats, others: Floats) -> Floats:
    """Return for each box the area that it shares with others, (b,)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    area: Floats = np.prod(np.clip(high - low, 0.0, None), axis=2).sum(axis=1)
    return area


def _apart(boxes: Floats, others: Floats) -> Floats:
    """Return how far each box is from each of others, (b, o)."""
    gaps = np.maximum(boxes[:, None, :2] - others[None, :, 2:], others[None, :, :2] - boxes[:, None, 2:])
    far: Floats = np.hypot(*np.clip(gaps, 0.0, None).transpose(2, 0, 1))
    return far


def _lines(
    axes: Axes, points: Sequence[Named], levels: Sequence[float], bounds: Floats, scale: float
) -> Floats:
    """Return boxes around error bars and levels."""
    boxes = [np.empty((0, 4))]
    for point in points:
        for across, up in ((point.bars[0], 0.0), (0.0, point.bars[1])):
            corners = [(point.x - across, point.y - up), (point.x + across, point.y + up)]
            low, high = np.clip(_in_points(axes, corners, scale), bounds[:2], bounds[2:])
            boxes.append(np.array([[*(low - 1), *(high + 1)]]))
    for level in levels:
        height = _in_points(axes, [(axes.get_xlim()[1], level)], scale)[0, 1]
        boxes.append(np.array([[bounds[0], height - 1, bounds[2], height + 1]]))
    return np.vstack(boxes)


def _in_points(axes: Axes, places: Sequence[tuple[float, float]], scale: float) -> Floats:
    """Turn places in an axes' data to typographic points; below a logarithmic axis they are far left."""
    floor = axes.get_xlim()[0]
    inside = [(max(x, floor) if axes.get_xscale() == "log" else x, y) for x, y in places]
    found: Floats = np.asarray(axes.transData.transform(inside), dtype=np.float64) * scale
    return found
