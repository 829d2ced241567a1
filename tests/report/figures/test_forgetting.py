from __future__ import annotations

import pytest
from figures_seen import drawn, subject_of
from planted_results import Planted, World, changed

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.forgetting import forgetting_figure


def table_of(group):
    _, table = drawn(forgetting_figure(subject_of(group)))
    return table.set_index("method")


def test_forgetting_is_the_mean_distance_on_one_path_which_the_table_names(group):
    table = table_of(group)
    for method, path in {"contrastive_leaks": "contrastive", "matching_over_forgets": "matching"}.items():
        assert table.loc[method, "path"] == path
        distance = group.row_of(method).distance(f"mia/{path}")
        assert table.loc[method, "mia_distance_to_retrain_mean"] == pytest.approx(distance.mean)
    assert table.loc["retrain", "mia_distance_to_retrain_mean"] == 0


def test_the_path_does_not_change_from_seed_to_seed():
    records = World(seeds=(21, 42)).records({"switching": Planted()}, draws=0)
    first, second = (one for one in records if one.spec.method == "switching")
    value = first.values["mia/matching"]
    near, far, further = (value.model_copy(update={"value": value.retrain + d}) for d in (0, 0.2, 0.3))
    records = [one for one in records if one.spec.method != "switching"]
    records += [changed(first, mia__contrastive=far, mia__matching=near)]
    records += [changed(second, mia__contrastive=near, mia__matching=further)]
    line = table_of(group_records(records)[0]).loc["switching"]
    assert line["path"] == "matching"
    assert line["mia_distance_to_retrain_mean"] < 0.2  # and not (.2 + .3) / 2
