from __future__ import annotations

import numpy as np
import pytest
from figures_seen import drawn, subject_of
from planted_results import Planted, World

from mmulbench.records.schema import Value
from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.picture import Absent
from mmulbench.report.figures.recovery import LINES, MISSING, MOST, recovery_figure

STEPS = (0, 1, 16)
PATHS = ("contrastive", "matching")


def given(record, lead):
    """The record with relearning on two paths: the contrastive one is as retrain's, the other leads."""
    values = dict(record.values)
    for path, ahead in zip(PATHS, (0.0, lead), strict=True):
        values[f"relearn/{path}"] = Value(
            value=ahead, n=9, direction="closest_to_retrain", retrain=0.0, original=0.4
        )
        for place, step in enumerate(STEPS):
            for half in LINES:
                base = 0.5 + 0.1 * place * (half == "shown")
                values[f"relearn/{path}/{half}_{step}"] = Value(
                    value=base + ahead + 0.01 * record.spec.seed / 42,
                    n=9,
                    direction="closest_to_retrain",
                    retrain=base,
                    original=0.9,
                )
    return record.model_copy(update={"values": values})


def table_of(leads, without=(), seeds=(21, 42)):
    names = {name: Planted() for name in (*leads, *without)}
    records = World(units=8, seeds=seeds).records(names, draws=0)
    records = [
        given(record, leads[record.spec.method]) if record.spec.method in leads else record
        for record in records
    ]
    (group,) = group_records(records)
    return subject_of(group)


def test_curves_of_the_path_that_is_furthest_from_retrain():
    figure, table = drawn(recovery_figure(table_of({"mmul": 0.2}, without=("scrub",))))
    assert set(table["method"]) == {"mmul"} and set(table["path"]) == {"matching"}
    assert list(table.columns) == ["method", "path", "seeds", "model", "half", "steps", "auc"]
    line = table.set_index(["model", "half", "steps"])["auc"]
    assert line["method", "held_out", 16] == pytest.approx(0.7 + 0.01 * np.mean([0.5, 1]))
    assert (line["retrain", "shown", 16], line["original", "held_out", 0]) == pytest.approx((0.7, 0.9))
    (axes,) = figure.axes
    assert len(axes.lines) == 6 and [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "16"]
    assert {text.get_text() for text in axes.texts} == {"original", "retrain"}
    for text in axes.texts:
        heights = pytest.approx([line[text.get_text(), "shown", step] for step in STEPS])
        (curve,) = (one for one in axes.lines if one.get_linestyle() == "-" and one.get_ydata() == heights)
        assert curve.get_color() == text.get_color()


def test_a_seed_without_the_measurement_is_left_out():
    subject = table_of({"mmul": 0.2})
    (row,) = (row for row in subject.table.rows if row.label == "mmul")
    (bare,) = World(units=8, seeds=(87,)).records({"mmul": Planted()}, draws=0)[1:]
    (group,) = group_records([*row.records, bare])
    assert set(drawn(recovery_figure(subject_of(group)))[1]["seeds"]) == {2}


def test_no_record_with_the_measurement_is_said():
    found = recovery_figure(table_of({}, without=("mmul",)))
    assert isinstance(found, Absent) and found.reason == MISSING


def test_many_methods_stay_below_the_largest_height():
    leads = {f"method_{place}": 0.1 for place in range(MOST + 1)}
    figure, table = drawn(recovery_figure(table_of(leads, seeds=(42,))))
    assert figure.get_size_inches()[1] * 150 <= 1600
    assert "1 more" in figure._supxlabel.get_text() and table["method"].nunique() == MOST + 1
