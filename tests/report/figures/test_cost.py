from __future__ import annotations

import pytest
from figures_seen import drawn, subject_of

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.cost import cost_figure
from mmulbench.report.figures.picture import Absent


def test_the_original_is_a_level_and_has_no_cost(record):
    records = [
        record("retrain", values={"retrain_gap": 0.0}, ratio=1.0),
        record("original", values={"retrain_gap": 0.2}, seconds=0.0, ratio=0.0),
        record("mmul", values={"retrain_gap": 0.1}, ratio=0.1),
    ]
    figure, table = drawn(cost_figure(subject_of(*group_records(records))))
    (axes,) = figure.axes
    assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"] == [0.2]
    table = table.set_index("method")
    assert table.isna().loc["original", "seconds_ratio_mean"]
    assert table.loc["mmul", "seconds_ratio_mean"] == pytest.approx(0.1)


def test_without_a_cost_there_is_no_figure(record):
    (group,) = group_records([record("mmul", values={"retrain_gap": 0.1}, seconds=None)])
    assert isinstance(cost_figure(subject_of(group)), Absent)
