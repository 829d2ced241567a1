from __future__ import annotations

import csv
import json

import pytest
from forged import RESULTS
from sites import table_of
from standings import WHOLE, line, measure, standing

from mmulbench.site.gather import gather_site
from mmulbench.site.points import number_rows, plot_data, points_of, summary

TABLE = table_of(WHOLE)
FIGURES = {
    "forgetting": {"attack": "mia_distance_to_retrain", "test": "test"},
    "cost": {"cost": "seconds_ratio", "gap": "retrain_gap"},
}
"""Columns of the published figures by what a point calls them."""


def test_a_row_without_numbers_and_other_settings_are_not_drawn():
    assert [one.name for one in points_of(TABLE)] == [
        "retrain",
        "near (tuned)",
        "as_near",
        "far",
        "broken",
        "idle",
        "original",
    ]
    assert [one.kind for one in points_of(TABLE)] == [
        "retrain",
        "ranked",
        "ranked",
        "ranked",
        "out",
        "below",
        "original",
    ]


def test_a_point_knows_its_row():
    for point in points_of(TABLE):
        assert TABLE.rows[point.row].line.name == point.name


def test_retrain_is_like_itself_and_the_original_takes_no_time():
    points = {one.name: one for one in points_of(TABLE)}
    assert points["retrain"].attack == 0.0
    assert points["original"].cost is None and points["far"].cost == 0.083


def test_what_took_no_time_has_no_place_on_a_logarithmic_axis():
    (point,) = points_of(table_of(standing(line("free", ratio=measure(0.0)))))
    assert point.cost is None and point.gap is not None


@pytest.mark.slow
def test_points_lie_where_the_published_figures_have_them():
    (emoji, *_) = gather_site(RESULTS).tables
    points = {one.name: one for one in points_of(emoji)}
    for kind, columns in FIGURES.items():
        (path,) = (RESULTS / "plots").glob(f"emoji-albef-packaged-*-{kind}.csv")
        with path.open(newline="") as file:
            published = {row["method"]: row for row in csv.DictReader(file)}
        assert published.keys() == points.keys()
        for name, point in points.items():
            for field, column in columns.items():
                text, own = published[name][f"{column}_mean"], getattr(point, field)
                assert own is None if text == "" else own == pytest.approx(float(text), abs=1e-12)


def test_the_data_of_the_script_are_json_and_the_numbers_are_the_same():
    found = json.loads(json.dumps(plot_data(TABLE)))
    assert found["noise"] == {"attack": 0.02, "test": 0.01, "gap": 0.008}
    assert len(found["points"]) == len(number_rows(TABLE))
    assert number_rows(TABLE)[3] == ("far", ".100", ".500", ".0830", ".200")


def test_the_plots_are_put_in_words():
    text = summary(TABLE)
    assert text.startswith(
        "7 rows are drawn; the smallest gaps of ranked methods are those of near (tuned) (.030)"
    )
    assert "1 never forgot" in text
