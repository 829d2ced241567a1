from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image
from planted_results import Planted, World, changed

from mmulbench.errors import UsageError
from mmulbench.records.schema import ScoreHistogram
from mmulbench.records.store import ResultsStore
from mmulbench.report.aggregate import group_records
from mmulbench.report.columns import choose_columns
from mmulbench.report.histograms import PER_SHEET, score_figures
from mmulbench.report.noise_floor import NoiseFloor
from mmulbench.report.place_rows import judge_rows, standing_of
from mmulbench.report.plots import TITLE_WIDTH, cost_figure, forgetting_figure, write_plots
from mmulbench.report.standing import MAIN
from mmulbench.report.style import description

ROOT = Path(__file__).resolve().parents[2]


def histogram(*forget_after, edges=(0.0, 0.5, 1.0)):
    before = {"forget": [1, 3], "retain": [10, 30], "unrelated": [40, 0]}
    return ScoreHistogram(edges=list(edges), before=before, after=before | {"forget": list(forget_after)})


def numbers(test, mia, gap, retrain_mia=0.5):
    return {
        "test": test,
        "retain": test + 0.1,
        "mia": {"value": mia, "retrain": retrain_mia},
        "mia/matching": {"value": mia, "retrain": retrain_mia},
        "retrain_gap": gap,
    }


@pytest.fixture(scope="module")
def records(record):
    return [
        record("retrain", 42, numbers(0.7, 0.5, 0.0), ratio=1.0, histograms={"matching": histogram(2, 2)}),
        record("retrain", 87, numbers(0.6, 0.6, 0.0, 0.6), ratio=1.0),
        record("original", 42, numbers(0.75, 0.8, 0.2), seconds=0.0, ratio=0.0),
        record("mmul", 42, numbers(0.5, 0.6, 0.1), ratio=0.1, histograms={"matching": histogram(4, 0)}),
        record("mmul", 87, numbers(0.6, 0.4, 0.3, 0.6), ratio=0.3, histograms={"matching": histogram(3, 1)}),
        record("npo", 42, status="diverged", reason="NaN", seconds=None),
    ]


@pytest.fixture(scope="module")
def written(records, tmp_path_factory) -> list[Path]:
    """The files of their plots, of which drawing takes a second; tests leave them as they are."""
    return write_plots(records, tmp_path_factory.mktemp("drawn") / "plots")


@pytest.fixture(scope="module")
def plots(written) -> Path:
    """The folder of these files."""
    return written[0].parent


@pytest.mark.slow
def test_every_figure_is_written_three_times(written, plots):
    stems = [f"emoji-albef-packaged-70-{kind}" for kind in ("forgetting", "scores", "cost")]
    assert [path.name for path in written] == [f"{s}.{x}" for s in stems for x in ("png", "svg", "csv")]
    assert sorted(written) == sorted(plots.iterdir())
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                colours = image.convert("RGB").getcolors(1 << 20)
                assert colours is not None and len(colours) > 10
        if path.suffix == ".svg":
            assert "<svg" in path.read_text()


@pytest.mark.slow
def test_csv_holds_the_means_drawn(plots):
    table = pd.read_csv(plots / "emoji-albef-packaged-70-forgetting.csv", index_col="method")
    assert table.loc["mmul", "mia_distance_to_retrain_mean"] == pytest.approx((0.1 + 0.2) / 2)
    assert table.loc["mmul", "mia_distance_to_retrain_sd"] == pytest.approx(0.1 / 2**0.5)
    assert table.loc["mmul", "test_mean"] == pytest.approx(0.55)
    assert table.loc["retrain", "mia_distance_to_retrain_mean"] == 0
    assert table.isna().loc["original", "test_sd"]
    assert table.isna().loc["npo", "test_mean"]
    cost = pd.read_csv(plots / "emoji-albef-packaged-70-cost.csv", index_col="method")
    assert cost.loc["mmul", "seconds_ratio_mean"] == pytest.approx(0.2)
    assert cost.loc["mmul", "retrain_gap_mean"] == pytest.approx(0.2)
    assert cost.isna().loc["original", "seconds_ratio_mean"]


def scores(folder, **wanted):
    table = pd.read_csv(folder / "emoji-albef-packaged-70-scores.csv")
    for column, value in wanted.items():
        table = table[table[column] == value]
    return table


@pytest.mark.slow
def test_histograms_are_summed_over_seeds_with_the_same_edges(plots):
    forget = scores(plots, method="mmul", when="after", pairs="forget")
    assert forget["count"].tolist() == [7, 1]
    assert forget["density"].tolist() == pytest.approx([7 / 8 / 0.5, 1 / 8 / 0.5])
    assert set(forget["seeds"]) == {"42 87"}


def test_histograms_with_other_edges_show_the_first_seed_and_say_so(record, tmp_path):
    records = [
        record("mmul", 87, histograms={"matching": histogram(4, 0)}),
        record("mmul", 42, histograms={"matching": histogram(3, 1, edges=(0.0, 0.4, 1.0))}),
    ]
    ((figure, table),) = score_figures(group_records(records)[0], "title")
    assert [axes.get_title() or axes.get_title("left") for axes in figure.axes] == [
        "mmul, matching (seed 42 only: bins differ)"
    ]
    assert set(table["right"]) == {0.4, 1.0}


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes(records, written, tmp_path):
    first = {path.name: path.read_bytes() for path in written}
    second = {path.name: path.read_bytes() for path in write_plots(records[::-1], tmp_path)}
    assert first == second


def test_sheets_of_an_earlier_call_that_had_more_are_removed(records, tmp_path):
    stem = "emoji-albef-packaged-70-scores"
    old = tmp_path / f"{stem}-7.csv"
    others = [tmp_path / f"{stem}-x.csv", tmp_path / f"other-{stem}-7.csv", tmp_path / f"{stem}-7.txt"]
    for path in (old, *others):
        path.touch()
    written = write_plots(records, tmp_path)
    assert tmp_path / f"{stem}.csv" in written
    assert not old.exists() and all(path.exists() for path in (*others, *written))


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


PLANTED = {
    "contrastive_leaks": Planted({"mia/contrastive": 0.2, "mia/matching": -0.1}),
    "matching_over_forgets": Planted({"mia/contrastive": 0.05, "mia/matching": -0.3}),
    "broken": Planted({"retain": -0.1}),
    "original": Planted({"mia/contrastive": 0.3, "mia/matching": 0.3}),
}


@pytest.fixture(scope="module")
def group():
    """Planted methods on two paths, with five other retrains of each of three seeds."""
    (found,) = group_records(World().records(PLANTED))
    return found


def forgetting(group):
    found = forgetting_figure(group, choose_columns(["test"], {})[0])
    assert found is not None
    return found


def cost(group):
    found = cost_figure(group)
    assert found is not None
    return found


def band_of(figure):
    """The only patch of the figure's axes."""
    (band,) = figure.axes[0].patches
    assert isinstance(band, Rectangle)
    return band


def drawn_points(figure):
    """The face colour of each marker, by the name of its row."""
    (axes,) = figure.axes
    return {bars.get_label(): bars.lines[0].get_markerfacecolor() for bars in axes.containers}


def labels_of(figure):
    """The names that stand beside points."""
    (axes,) = figure.axes
    return [text for text in axes.texts if text.get_text()]


def assert_readable(figure):
    """Labels are inside the axes and meet neither each other, nor markers, nor do title and legend."""
    (axes,) = figure.axes
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in labels_of(figure)]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    points = [bars.lines[0].get_xydata()[0] for bars in axes.containers]
    for place in axes.transData.transform(points):
        assert not any(box.contains(*place) for box in boxes)
    inside = axes.get_window_extent()
    assert all(inside.containsx(x) and inside.containsy(y) for box in boxes for x, y in box.corners())
    others = [axes.get_tightbbox(), figure._suptitle.get_window_extent()]
    others += [legend.get_window_extent() for legend in figure.legends]
    assert not any(one.overlaps(other) for one, other in combinations(others, 2))
    assert all(box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in others)


def test_labels_meet_neither_each_other_nor_points(group):
    for figure, table in (forgetting(group), cost(group)):
        assert sorted(text.get_text() for text in labels_of(figure)) == sorted(table["method"])
        assert_readable(figure)


def test_labels_are_readable_where_an_outlier_squeezes_the_rest():
    methods = {f"method_{place}": Planted({"mia/matching": 0.01 * place}) for place in range(9)}
    planted = World(units=60).records(methods | {"broken": Planted({"test": -0.45, "mia/matching": 0.4})})
    (group,) = group_records(planted)
    assert_readable(forgetting(group)[0])


def test_labels_have_the_colours_of_their_points(group):
    figure, _ = forgetting(group)
    drawn = {bars.get_label(): bars.lines[0].get_color() for bars in figure.axes[0].containers}
    assert {text.get_text(): text.get_color() for text in labels_of(figure)} == drawn


def test_only_rows_of_the_first_table_are_drawn():
    world = World()
    records = world.records({"mmul": Planted(), "npo": Planted()}, draws=3)
    own = [record for record in records if record.spec.method == "mmul"]
    records += [world.tuned(record, lr=0.5) for record in own]
    unmeant = {"status": "not_applicable", "reason": "no", "values": {}, "cost": None, "by_unit": {}}
    (group,) = group_records([*records, *_copies(own, "kga", **unmeant)])
    columns = choose_columns(["test"], {})
    standing = standing_of(group, columns, judge_rows(group, columns))
    shown = {line.name for line in standing.of_blocks(*MAIN)}
    assert shown == {"retrain", "retrain′", "mmul (tuned)", "npo"}
    for figure, table in (forgetting(group), cost(group)):
        assert set(table["method"]) == {text.get_text() for text in labels_of(figure)} == shown


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


def test_forgetting_is_the_mean_distance_on_one_path_which_the_table_names(group):
    _, table = forgetting(group)
    table = table.set_index("method")
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
    _, table = forgetting(group_records(records)[0])
    line = table.set_index("method").loc["switching"]
    assert line["path"] == "matching"
    assert line["mia_distance_to_retrain_mean"] < 0.2  # and not (.2 + .3) / 2


def test_all_draws_of_retrain_are_one_row(group):
    for figure, table in (forgetting(group), cost(group)):
        assert table["method"].tolist()[:2] == ["retrain", "retrain′"]
        assert table["method"].is_unique
        assert table["seeds"].tolist() == [3] * len(table)
        assert [text.get_text() for text in labels_of(figure)].count("retrain′") == 1


def test_the_noise_floor_is_a_shaded_band(group):
    figure, _ = forgetting(group)
    band = band_of(figure)
    floors = [NoiseFloor.of(group, f"mia/{path}").mean for path in ("contrastive", "matching")]
    assert (band.get_x(), band.get_width()) == pytest.approx((0, max(floors)))
    figure, _ = cost(group)
    band = band_of(figure)
    assert (band.get_y(), band.get_height()) == pytest.approx((0, NoiseFloor.of(group, "retrain_gap").mean))
    (bare,) = group_records(World().records(PLANTED, draws=0))
    assert list(cost(bare)[0].axes[0].patches) == []


def test_rows_that_lost_utility_are_hollow(group):
    figure, table = forgetting(group)
    colours = drawn_points(figure)
    hollow = {label for label, colour in colours.items() if to_rgba(colour) == to_rgba("white")}
    assert hollow == {"broken"} == set(table["method"][table["lost_utility"]])
    assert any(text.get_text().startswith("hollow: ") for text in figure.legends[0].texts)


@pytest.mark.slow
def test_no_sheet_of_many_methods_is_large_and_no_title_meets_the_legend(tmp_path):
    methods = {f"method_with_a_long_name_{number}": Planted() for number in range(2 * PER_SHEET + 1)}
    planted = World(seeds=(42,), spec={"backbone": "clip:openai/clip-vit-base-patch32"}).records(methods)
    records = [one.model_copy(update={"histograms": {"matching": histogram(2, 2)}}) for one in planted]
    written = [path for path in write_plots(records, tmp_path) if path.suffix == ".png"]
    sheets = sorted(path.stem.partition("-68-")[2] for path in written)
    assert sheets == ["cost", "forgetting", "scores", "scores-2", "scores-3"]
    for path in written:
        with Image.open(path) as image:
            assert max(image.size) < 2000
            assert "scores" in path.stem or image.size < (800, 700)
    methods_of = [
        set(pd.read_csv(path.with_suffix(".csv"))["method"]) for path in written if "scores" in path.stem
    ]
    assert set.intersection(*methods_of) == {"retrain"}
    assert set.union(*methods_of) == {*methods, "retrain", "retrain′"}
    (group,) = group_records(records)
    assert_readable(cost(group)[0])
    figures: list[Any] = [sheet for sheet, _ in score_figures(group, "x" * TITLE_WIDTH)]
    for figure in figures:
        figure.canvas.draw()
        assert not figure._suptitle.get_window_extent().overlaps(figure.legends[0].get_window_extent())


@pytest.mark.slow
def test_names_in_records_are_no_formulas(record, tmp_path):
    def odd(a: str, edges: tuple[float, ...] = (0.0, 1.0)):
        counts = {"forget": [0] * (len(edges) - 1)}
        scores = ScoreHistogram(edges=list(edges), before=counts, after=counts)
        return record(config={"a": a}, values=numbers(0.5, 0.6, 0.1), histograms={r"$\frac{$": scores})

    methods = [record(name, 42, numbers(0.5, 0.6, 0.1)) for name in ("+1+1", "@SUM(1)", "-2", "=1\x1b[2J")]
    written = write_plots([odd("$\\frac{$"), odd("y", (0.0, 0.5, 1.0)), *methods], tmp_path)
    assert {path.stem.rpartition("-")[2] for path in written} == {"forgetting", "scores", "cost"}
    (path,) = tmp_path.glob("*-cost.csv")
    shown = pd.read_csv(path)["method"].tolist()
    assert shown[:4] == ["'+1+1", "'-2", "'=1\\x1b[2J", "'@SUM(1)"]
    for path in tmp_path.glob("*.svg"):
        assert "\x1b" not in path.read_text()


def test_seeds_with_other_pairs_are_pooled(record):
    def scores(**counts: list[int]) -> ScoreHistogram:
        return ScoreHistogram(edges=[0.0, 0.5, 1.0], before=counts, after=counts)

    records = [
        record(seed=seed, values={"test": 0.5}, histograms={"matching": one})
        for seed, one in ((42, scores(forget=[1, 2])), (87, scores(forget=[3, 4], retain=[5, 6])))
    ]
    (group,) = group_records(records)
    ((_, table),) = score_figures(group, "x")
    after = table[table["when"] == "after"]
    assert after.groupby("pairs")["count"].sum().to_dict() == {"forget": 10, "retain": 11}


def described(path):
    """What a picture says of the numbers that it shows."""
    if path.suffix == ".svg":
        return re.search(r"<dc:description>(.*?)</dc:description>", path.read_text())[1]
    with Image.open(path) as image:
        return image.info["Description"]


@pytest.fixture(scope="module")
def fewer_plots(records, tmp_path_factory) -> Path:
    """A folder with plots of some of the records alone."""
    folder = tmp_path_factory.mktemp("fewer")
    write_plots(records[:-2], folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_names_the_numbers_that_it_shows(plots, fewer_plots, suffix):
    first, second = (folder / f"emoji-albef-packaged-70-cost.{suffix}" for folder in (plots, fewer_plots))
    assert described(first) == description(first.with_suffix(".csv").read_text())
    assert described(first) != described(second)


@pytest.mark.slow
def test_the_published_pictures_show_the_published_records(tmp_path):
    published = {path.name: path for path in (ROOT / "results" / "plots").glob("*-*") if path.is_file()}
    pictures = {name: path for name, path in published.items() if path.suffix != ".csv"}
    assert pictures, "the README shows one"
    write_plots(ResultsStore(ROOT / "results").load_all()[0], tmp_path)
    again = "write them again: mmulbench plot --output results/plots"
    for name, path in published.items():
        assert (tmp_path / name).exists(), f"{name} is of no record any more: delete it"
        if path.suffix == ".csv":
            assert path.read_bytes() == (tmp_path / name).read_bytes(), f"{name} is old: {again}"
        else:
            assert described(path) == described(tmp_path / name), f"{name} is old: {again}"
