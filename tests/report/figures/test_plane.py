from __future__ import annotations

import pytest
from figures_seen import assert_readable, band_of, drawn, drawn_points, labels_of, subject_of
from matplotlib.colors import to_rgba
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.cost import cost_figure
from mmulbench.report.figures.forgetting import forgetting_figure
from mmulbench.report.noise_floor import NoiseFloor


def forgetting(group):
    return drawn(forgetting_figure(subject_of(group)))


def cost(group):
    return drawn(cost_figure(subject_of(group)))


def test_labels_meet_neither_each_other_nor_points(group):
    for figure, table in (forgetting(group), cost(group)):
        assert sorted(text.get_text() for text in labels_of(figure)) == sorted(table["method"])
        assert_readable(figure)


def test_labels_have_the_colours_of_their_points(group):
    figure, _ = forgetting(group)
    drawn = {bars.get_label(): bars.lines[0].get_color() for bars in figure.axes[0].containers}
    assert {text.get_text(): text.get_color() for text in labels_of(figure)} == drawn


def test_rows_without_a_point_are_named_below_the_axes():
    records = World().records({"mmul": Planted()}, draws=0)
    failed = {"status": "failed", "reason": "no", "values": {}, "cost": None, "by_unit": {}}
    own = [record for record in records if record.spec.method == "mmul"]
    methods = [f"method_{number}" for number in range(40)]
    failures = [one for method in methods for one in _copies(own, method, **failed)]
    (group,) = group_records([*records, *failures[: len(own)]])
    assert forgetting(group)[0].legends[0].get_title().get_text() == "Not drawn, failed: method_0"
    (group,) = group_records([*records, *failures])
    figure, table = forgetting(group)
    assert set(methods) <= set(table["method"])
    assert_readable(figure)


def _copies(records, method, **changes):
    """Copies of records as those of another method, with some fields changed."""
    specs = [record.spec.model_copy(update={"method": method}) for record in records]
    return [
        record.model_copy(update={"spec": spec, "run_id": spec.run_id, **changes})
        for record, spec in zip(records, specs, strict=True)
    ]


def test_all_draws_of_retrain_are_one_row(group):
    for figure, table in (forgetting(group), cost(group)):
        assert table["method"].tolist()[:2] == ["retrain", "retrain′"]
        assert table["method"].is_unique
        assert table["seeds"].tolist() == [3] * len(table)
        assert [text.get_text() for text in labels_of(figure)].count("retrain′") == 1


def test_the_noise_floor_is_a_shaded_band(group, bare_group):
    figure, _ = forgetting(group)
    band = band_of(figure)
    floors = [NoiseFloor.of(group, f"mia/{path}").mean for path in ("contrastive", "matching")]
    assert (band.get_x(), band.get_width()) == pytest.approx((0, max(floors)))
    figure, _ = cost(group)
    band = band_of(figure)
    assert (band.get_y(), band.get_height()) == pytest.approx((0, NoiseFloor.of(group, "retrain_gap").mean))
    assert list(cost(bare_group)[0].axes[0].patches) == []


def test_rows_that_lost_utility_are_hollow(group):
    figure, table = forgetting(group)
    colours = drawn_points(figure)
    hollow = {label for label, colour in colours.items() if to_rgba(colour) == to_rgba("white")}
    assert hollow == {"broken"} == set(table["method"][table["lost_utility"]])
    assert any(text.get_text().startswith("hollow: ") for text in figure.legends[0].texts)
