from __future__ import annotations

import pandas as pd
import pytest
from PIL import Image

from mmulbench.errors import UsageError
from mmulbench.records.schema import ScoreHistogram
from mmulbench.report.aggregate import group_records
from mmulbench.report.histograms import score_figure
from mmulbench.report.plots import write_plots


def histogram(*forget_after, edges=(0.0, 0.5, 1.0)):
    before = {"forget": [1, 3], "retain": [10, 30], "unrelated": [40, 0]}
    return ScoreHistogram(edges=list(edges), before=before, after=before | {"forget": list(forget_after)})


def numbers(test, mia, gap, retrain_mia=0.5):
    return {
        "test": test,
        "retain": test + 0.1,
        "mia": {"value": mia, "retrain": retrain_mia},
        "retrain_gap": gap,
    }


@pytest.fixture
def records(record):
    return [
        record("retrain", 42, numbers(0.7, 0.5, 0.0), ratio=1.0, histograms={"matching": histogram(2, 2)}),
        record("retrain", 87, numbers(0.6, 0.6, 0.0, 0.6), ratio=1.0),
        record("original", 42, numbers(0.75, 0.8, 0.2), seconds=0.0, ratio=0.0),
        record("mmul", 42, numbers(0.5, 0.6, 0.1), ratio=0.1, histograms={"matching": histogram(4, 0)}),
        record("mmul", 87, numbers(0.6, 0.4, 0.3, 0.6), ratio=0.3, histograms={"matching": histogram(3, 1)}),
        record("npo", 42, status="diverged", reason="NaN", seconds=None),
    ]


@pytest.mark.slow
def test_every_figure_is_written_three_times(records, tmp_path):
    paths = write_plots(records, tmp_path / "plots")
    stems = [f"emoji-albef-packaged-70-{kind}" for kind in ("forgetting", "scores", "cost")]
    assert [path.name for path in paths] == [f"{s}.{x}" for s in stems for x in ("png", "svg", "csv")]
    assert sorted(paths) == sorted((tmp_path / "plots").iterdir())
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as image:
                colours = image.convert("RGB").getcolors(1 << 20)
                assert colours is not None and len(colours) > 10
        if path.suffix == ".svg":
            assert "<svg" in path.read_text()


@pytest.mark.slow
def test_csv_holds_the_means_drawn(records, tmp_path):
    write_plots(records, tmp_path)
    table = pd.read_csv(tmp_path / "emoji-albef-packaged-70-forgetting.csv", index_col="method")
    assert table.loc["mmul", "mia_distance_to_retrain_mean"] == pytest.approx((0.1 + 0.2) / 2)
    assert table.loc["mmul", "mia_distance_to_retrain_sd"] == pytest.approx(0.1 / 2**0.5)
    assert table.loc["mmul", "test_mean"] == pytest.approx(0.55)
    assert table.loc["retrain", "mia_distance_to_retrain_mean"] == 0
    assert table.isna().loc["original", "test_sd"]
    assert table.isna().loc["npo", "test_mean"]
    cost = pd.read_csv(tmp_path / "emoji-albef-packaged-70-cost.csv", index_col="method")
    assert cost.loc["mmul", "seconds_ratio_mean"] == pytest.approx(0.2)
    assert cost.loc["mmul", "retrain_gap_mean"] == pytest.approx(0.2)
    assert cost.isna().loc["original", "seconds_ratio_mean"]


def scores(folder, **wanted):
    table = pd.read_csv(folder / "emoji-albef-packaged-70-scores.csv")
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table


@pytest.mark.slow
def test_histograms_are_summed_over_seeds_with_the_same_edges(records, tmp_path):
    write_plots(records, tmp_path)
    forget = scores(tmp_path, method="mmul", when="after", pairs="forget")
    assert forget["count"].tolist() == [7, 1]
    assert forget["density"].tolist() == pytest.approx([7 / 8 / 0.5, 1 / 8 / 0.5])
    assert set(forget["seeds"]) == {"42 87"}


def test_histograms_with_other_edges_show_the_first_seed_and_say_so(record, tmp_path):
    records = [
        record("mmul", 87, histograms={"matching": histogram(4, 0)}),
        record("mmul", 42, histograms={"matching": histogram(3, 1, edges=(0.0, 0.4, 1.0))}),
    ]
    drawn = score_figure(group_records(records)[0], "title")
    assert drawn is not None
    figure, table = drawn
    assert [axes.get_title() or axes.get_title("left") for axes in figure.axes] == [
        "mmul, matching (seed 42 only: bins differ)"
    ]
    assert set(table["right"]) == {0.4, 1.0}


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes(records, tmp_path):
    first = {path.name: path.read_bytes() for path in write_plots(records, tmp_path / "a")}
    second = {path.name: path.read_bytes() for path in write_plots(records[::-1], tmp_path / "b")}
    assert first == second


def test_metric_chooses_the_retention_axis(records, tmp_path):
    write_plots(records, tmp_path, metric="retain")
    table = pd.read_csv(tmp_path / "emoji-albef-packaged-70-forgetting.csv", index_col="method")
    assert table.loc["mmul", "retain_mean"] == pytest.approx(0.65)
    with pytest.raises(UsageError, match="unknown metric 'retian'; did you mean retain"):
        write_plots(records, tmp_path, metric="retian")


@pytest.mark.slow
def test_colliding_tables_get_files_of_their_own(record, tmp_path):
    records = [record(values=numbers(0.5, 0.6, 0.1), metric_version=version) for version in ("1", "2")]
    names = {path.name for path in write_plots(records, tmp_path)}
    assert len(names) == 2 * 2 * 3
    assert len({name.rsplit("-", 1)[0] for name in names}) == 2


def test_nothing_to_plot_says_which_command_makes_it(record, tmp_path):
    with pytest.raises(UsageError, match=r"no records.*mmulbench run"):
        write_plots([], tmp_path / "plots")
    with pytest.raises(UsageError, match="no run is done"):
        write_plots([record(status="failed", reason="x", seconds=None)], tmp_path / "plots")
    assert not (tmp_path / "plots").exists()
