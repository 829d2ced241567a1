from __future__ import annotations

import numpy as np
import pytest
from figures_seen import subject_of
from planted_results import Planted, World

from mmulbench.records.schema import ScoreHistogram
from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.picture import Absent
from mmulbench.report.figures.scores import PER_SHEET, score_figures


def histogram(*forget_after, edges=(0.0, 0.5, 1.0)):
    before = {"forget": [1, 3], "retain": [10, 30], "unrelated": [40, 0]}
    return ScoreHistogram(edges=list(edges), before=before, after=before | {"forget": list(forget_after)})


def sheets_of(records):
    found = score_figures(subject_of(*group_records(records)))
    assert not isinstance(found, Absent)
    return found


def test_histograms_are_summed_over_seeds_with_the_same_edges(record):
    records = [
        record("mmul", 42, histograms={"matching": histogram(4, 0)}),
        record("mmul", 87, histograms={"matching": histogram(3, 1)}),
    ]
    (sheet,) = sheets_of(records)
    table = sheet.table
    forget = table[(table["when"] == "after") & (table["pairs"] == "forget")]
    assert forget["count"].tolist() == [7, 1]
    assert forget["density"].tolist() == pytest.approx([7 / 8 / 0.5, 1 / 8 / 0.5])
    assert set(forget["seeds"]) == {"42 87"}


def test_histograms_with_other_edges_show_the_first_seed_and_say_so(record):
    records = [
        record("mmul", 87, histograms={"matching": histogram(4, 0)}),
        record("mmul", 42, histograms={"matching": histogram(3, 1, edges=(0.0, 0.4, 1.0))}),
    ]
    (sheet,) = sheets_of(records)
    assert [axes.get_title() or axes.get_title("left") for axes in sheet.draw().axes] == [
        "mmul, matching (seed 42 only: bins differ)"
    ]
    assert set(sheet.table["right"]) == {0.4, 1.0}


def test_seeds_with_other_pairs_are_pooled(record):
    def scores(**counts: list[int]) -> ScoreHistogram:
        return ScoreHistogram(edges=[0.0, 0.5, 1.0], before=counts, after=counts)

    records = [
        record(seed=seed, values={"test": 0.5}, histograms={"matching": one})
        for seed, one in ((42, scores(forget=[1, 2])), (87, scores(forget=[3, 4], retain=[5, 6])))
    ]
    (sheet,) = sheets_of(records)
    after = sheet.table[sheet.table["when"] == "after"]
    assert after.groupby("pairs")["count"].sum().to_dict() == {"forget": 10, "retain": 11}


def test_no_sheet_of_many_methods_is_large_and_no_title_meets_the_legend():
    methods = {f"method_with_a_long_name_{number}": Planted() for number in range(PER_SHEET + 1)}
    planted = World(units=4, seeds=(42,), spec={"backbone": "clip:openai/clip-vit-base-patch32"})
    records = [
        one.model_copy(update={"histograms": {"matching": histogram(2, 2)}})
        for one in planted.records(methods, draws=0)
    ]
    sheets = sheets_of(records)
    methods_of = [set(sheet.table["method"]) for sheet in sheets]
    assert set.intersection(*methods_of) == {"retrain"}
    assert set.union(*methods_of) == {*methods, "retrain"}
    figure = sheets[0].draw()
    assert np.all(figure.get_size_inches() * 150 <= 1600)
    figure.draw_without_rendering()
    title, legend = figure._suptitle.get_window_extent(), figure.legends[0].get_window_extent()
    assert not title.overlaps(legend)


def test_without_histograms_there_is_no_figure(record):
    (group,) = group_records([record("mmul", values={"test": 0.5})])
    assert score_figures(subject_of(group)) == Absent("no record holds histograms of scores")
