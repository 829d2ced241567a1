from __future__ import annotations

import pytest
from figures_seen import drawn, subject_of
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.picture import Absent
from mmulbench.report.figures.sizes import MOST, sizes_figure

SIZES = (4, 16)


def tables_of(methods, draws=1):
    return [
        group
        for size in SIZES
        for group in group_records(World(units=size, seeds=(21, 42)).records(methods, draws=draws))
    ]


def test_gap_attack_and_utility_are_shown_of_each_size():
    small, large = tables_of({"mmul": Planted(), "scrub": Planted({"mia/matching": 0.3})})
    figure, table = drawn(sizes_figure(subject_of(large, small)))
    table = table.set_index(["method", "forget_size"])
    assert sorted(table.index) == [(name, size) for name in ("mmul", "scrub") for size in SIZES]
    row, line = small.row_of("scrub"), table.loc[("scrub", 4)]
    assert line["gap_mean"] == pytest.approx(row.summary("retrain_gap").mean)
    assert line["attack_mean"] == pytest.approx(row.distance("mia/matching").mean)
    assert (line["utility_low"], line["utility_high"]) == pytest.approx(
        (min(row.differences("test").values()), max(row.differences("test").values()))
    )
    assert table["gap_floor"].notna().all()
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["mmul", "scrub"]
    assert all(axes.get_xscale() == "log" for axes in figure.axes)
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["4", "16"]


def test_a_method_of_one_size_has_no_curve_of_its_own():
    small, large = tables_of({"mmul": Planted(), "scrub": Planted()}, draws=0)
    (fewer,) = group_records([one for row in small.rows for one in row.records if one.spec.method != "scrub"])
    figure, table = drawn(sizes_figure(subject_of(fewer, large)))
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["mmul"]
    assert table["gap_floor"].isna().all() and "scrub" in set(table["method"])
    assert isinstance(sizes_figure(subject_of(large)), Absent)


def test_many_methods_stay_below_the_largest_height():
    tables = tables_of({f"method_{place}": Planted() for place in range(MOST + 1)}, draws=0)
    figure, table = drawn(sizes_figure(subject_of(*tables)))
    assert figure.get_size_inches()[1] * 150 <= 1600
    assert len(figure.axes) == 3 * MOST and "1 more" in " ".join(figure._supxlabel.get_text().split())
    assert table["method"].nunique() == MOST + 1
