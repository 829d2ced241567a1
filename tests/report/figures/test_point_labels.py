from __future__ import annotations

from figures_seen import assert_readable, drawn, subject_of
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.forgetting import forgetting_figure


def test_labels_are_readable_where_an_outlier_squeezes_the_rest():
    methods = {f"method_{place}": Planted({"mia/matching": 0.01 * place}) for place in range(9)}
    planted = World(units=60).records(methods | {"broken": Planted({"test": -0.45, "mia/matching": 0.4})})
    (group,) = group_records(planted)
    assert_readable(drawn(forgetting_figure(subject_of(group)))[0])
