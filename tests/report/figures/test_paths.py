from __future__ import annotations

import numpy as np
import pytest
from figures_seen import drawn, subject_of
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.paths import MOST, paths_figure
from mmulbench.report.figures.picture import Absent
from mmulbench.report.noise_floor import NoiseFloor


def test_each_path_and_utility_has_a_panel_and_the_table_has_original_method_and_retrain(group):
    figure, table = drawn(paths_figure(subject_of(group)))
    shown = [axes.get_title(loc="left") for axes in figure.axes]
    assert shown == [
        *("MIA AUC\ncontrastive", "MIA AUC\nmatching", "Test utility\n"),
        *("Df|Dr AUC\ncontrastive", "Df|Dr AUC\nmatching", "Retain utility\n"),
    ]
    assert figure.get_size_inches()[0] <= 5.31
    line = table.set_index(["method", "value"]).loc[("contrastive_leaks", "mia/contrastive")]
    row = group.row_of("contrastive_leaks")
    values = [value for _, value in row.values("mia/contrastive")]
    assert line["mean"] == pytest.approx(row.summary("mia/contrastive").mean)
    assert line["retrain"] == pytest.approx(np.mean([value.retrain for value in values]))
    assert line["original"] == pytest.approx(np.mean([value.original for value in values]))
    assert line["noise_floor"] == NoiseFloor.of(group, "mia/contrastive").mean


def test_methods_stand_beside_their_lines_the_closest_to_retrain_first(group):
    figure, table = drawn(paths_figure(subject_of(group)))
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    gaps = [group.row_of(name).summary("retrain_gap").mean for name in names]
    assert gaps == sorted(gaps) and set(names) == set(table["method"])
    ends = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    first = table[table["value"] == "mia/contrastive"]
    assert ends == pytest.approx({side: first[side].mean() for side in ("original", "retrain")})


def test_a_method_without_a_value_has_no_line_there_and_one_seed_has_no_bar(record):
    both = {"mia/a": {"value": 0.7, "retrain": 0.5, "original": 0.9}, "mia": 0.7, "retrain_gap": 0.2}
    values = [both | {"test": 0.5}, both]
    records = [record(name, values=one) for name, one in zip(("m", "n"), values, strict=True)]
    records = [one.model_copy(update={"histograms": {}}) for one in records]
    figure, table = drawn(paths_figure(subject_of(*group_records(records))))
    assert table[table["value"] == "test"]["method"].tolist() == ["m"]
    assert table["sd"].isna().all() and table["noise_floor"].isna().all()
    figure.draw_without_rendering()


def test_many_methods_and_paths_stay_below_the_largest_height():
    methods = {f"a_method_with_a_long_name_{place}": Planted() for place in range(MOST + 2)}
    records = World(units=4, seeds=(42,)).records(methods, draws=0)
    figure, table = drawn(paths_figure(subject_of(*group_records(records))))
    assert figure.get_size_inches()[1] * 150 <= 1600
    assert table["method"].nunique() == MOST + 2
    assert len(figure.axes[0].get_yticks()) == MOST
    assert "2 more" in figure._supxlabel.get_text()


def test_without_methods_there_is_no_figure(record):
    (group,) = group_records([record("retrain", values={"test": 0.5})])
    assert paths_figure(subject_of(group)) == Absent("no method has a value of a path")
