"""Look at what figures show, and whether it can be read."""

from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from mmulbench.report.columns import choose_columns
from mmulbench.report.figures.picture import Picture, Subject
from mmulbench.report.style import SETTINGS


def subject_of(*groups, results=None):
    """What figures are drawn of: tables, with test utility beside forgetting."""
    return Subject(groups, choose_columns(["test"], {})[0], results)


def drawn(picture):
    """The figure and the numbers of what is no reason why there is none."""
    assert isinstance(picture, Picture), picture
    with mpl.rc_context(SETTINGS):
        return picture.draw(), picture.table


def band_of(figure):
    """The only patch of the figure's axes."""
    (band,) = figure.axes[0].patches
    assert isinstance(band, Rectangle)
    return band


def drawn_points(figure):
    """The face colour of each marker, by the name of its row."""
    (axes,) = figure.axes
    return {bars.get_label(): bars.lines[0].get_markerfacecolor() for bars in axes.containers}


def labels_of(figure):
    """The names that stand beside points."""
    (axes,) = figure.axes
    return [text for text in axes.texts if text.get_text()]


def assert_readable(figure):
    """Labels are inside the axes and meet neither each other, nor markers, nor do title and legend."""
    (axes,) = figure.axes
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in labels_of(figure)]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    points = [bars.lines[0].get_xydata()[0] for bars in axes.containers]
    for place in axes.transData.transform(points):
        assert not any(box.contains(*place) for box in boxes)
    inside = axes.get_window_extent()
    assert all(inside.containsx(x) and inside.containsy(y) for box in boxes for x, y in box.corners())
    others = [axes.get_tightbbox(), figure._suptitle.get_window_extent()]
    others += [legend.get_window_extent() for legend in figure.legends]
    assert not any(one.overlaps(other) for one, other in combinations(others, 2))
    assert all(box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in others)
