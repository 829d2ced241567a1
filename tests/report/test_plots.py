from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from mmulbench.errors import UsageError
from mmulbench.records.schema import ScoreHistogram
from mmulbench.report.picture_check import described
from mmulbench.report.plots import FIGURES, Choice, picture_descriptions, write_plots
from mmulbench.report.style import description

ROOT = Path(__file__).resolve().parents[2]
STEM = "emoji-albef-packaged-70"
DRAWN = ("forgetting", "scores", "cost", "paths")
"""Figures of the records below."""


def numbers(test, mia, gap, retrain_mia=0.5):
    return {
        "test": test,
        "retain": test + 0.1,
        "mia": {"value": mia, "retrain": retrain_mia},
        "mia/matching": {"value": mia, "retrain": retrain_mia},
        "retrain_gap": gap,
    }


def histogram(*forget_after):
    before = {"forget": [1, 3], "retain": [10, 30], "unrelated": [40, 0]}
    return ScoreHistogram(edges=[0.0, 0.5, 1.0], before=before, after=before | {"forget": [*forget_after]})


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
    return write_plots(records, tmp_path_factory.mktemp("drawn") / "plots").files


@pytest.fixture(scope="module")
def plots(written) -> Path:
    """The folder of these files."""
    return written[0].parent


@pytest.mark.slow
def test_every_figure_is_written_in_each_form(written, plots):
    stems = [f"{STEM}-{figure}" for figure in DRAWN]
    assert [path.name for path in written] == [
        f"{s}.{x}" for s in stems for x in ("png", "svg", "pdf", "csv")
    ]
    assert sorted(written) == sorted(plots.iterdir())
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                colours = image.convert("RGB").getcolors(1 << 20)
                assert colours is not None and len(colours) > 10
                assert image.height <= 1600
        beginning = {".svg": b"<?xml", ".pdf": b"%PDF"}.get(path.suffix, b"")
        assert path.read_bytes().startswith(beginning)


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


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes(records, written, tmp_path):
    first = {path.name: path.read_bytes() for path in written}
    second = {path.name: path.read_bytes() for path in write_plots(records[::-1], tmp_path).files}
    assert first == second


def test_sheets_of_an_earlier_call_that_had_more_are_removed(records, tmp_path):
    stem = "emoji-albef-packaged-70-scores"
    old = tmp_path / f"{stem}-7.csv"
    others = [tmp_path / f"{stem}-x.csv", tmp_path / f"other-{stem}-7.csv", tmp_path / f"{stem}-7.txt"]
    for path in (old, *others):
        path.touch()
    written = write_plots(records, tmp_path, Choice(("scores",))).files
    assert tmp_path / f"{stem}.csv" in written
    assert not old.exists() and all(path.exists() for path in (*others, *written))


def test_metric_chooses_the_retention_axis(records, tmp_path):
    write_plots(records, tmp_path, Choice(("forgetting",), "retain"))
    table = pd.read_csv(tmp_path / "emoji-albef-packaged-70-forgetting.csv", index_col="method")
    assert table.loc["mmul", "retain_mean"] == pytest.approx(0.65)
    with pytest.raises(UsageError, match="unknown metric 'retian'; did you mean retain"):
        write_plots(records, tmp_path, Choice(metric="retian"))


def test_forget_sizes_are_compared_in_a_figure_of_their_own(record, tmp_path):
    records = [record(forget_size=size, values=numbers(0.5, 0.6, 0.1)) for size in (35, 70)]
    (picture, *_) = write_plots(records, tmp_path, Choice(("sizes",))).files
    assert picture.name == "emoji-albef-packaged-sizes.png"
    assert picture_descriptions(records, ["sizes"]) == {"sizes": described(picture)}


def test_nothing_to_plot_says_which_command_makes_it(record, tmp_path):
    with pytest.raises(UsageError, match=r"no records.*mmulbench run"):
        write_plots([], tmp_path / "plots")
    with pytest.raises(UsageError, match="no run is done"):
        write_plots([record(status="failed", reason="x", seconds=None)], tmp_path / "plots")
    with pytest.raises(UsageError, match="nothing to plot: scores: no record holds histograms"):
        write_plots([record(values={"test": 0.5})], tmp_path / "plots", Choice(("scores",)))
    with pytest.raises(UsageError, match="unknown figure 'scorse'; did you mean scores"):
        write_plots([record(values={"test": 0.5})], tmp_path / "plots", Choice(("scorse",)))
    assert not (tmp_path / "plots").exists()


def test_what_could_not_be_drawn_is_named_and_the_rest_is_told_of(record, tmp_path):
    told: list[Path] = []
    records = [record(values=numbers(0.5, 0.6, 0.1))]
    found = write_plots(records, tmp_path, Choice(("scores", "cost")), told.append)
    assert found.left_out == {("scores", "no record holds histograms of scores"): [STEM]}
    assert told == found.files and len(told) == 4


@pytest.mark.slow
def test_names_in_records_are_no_formulas(record, tmp_path):
    def odd(a: str, edges: tuple[float, ...] = (0.0, 1.0)):
        counts = {"forget": [0] * (len(edges) - 1)}
        scores = ScoreHistogram(edges=list(edges), before=counts, after=counts)
        return record(config={"a": a}, values=numbers(0.5, 0.6, 0.1), histograms={r"$\frac{$": scores})

    methods = [record(name, 42, numbers(0.5, 0.6, 0.1)) for name in ("+1+1", "@SUM(1)", "-2", "=1\x1b[2J")]
    written = write_plots([odd("$\\frac{$"), odd("y", (0.0, 0.5, 1.0)), *methods], tmp_path).files
    assert {path.stem.rpartition("-")[2] for path in written} == set(DRAWN)
    (path,) = tmp_path.glob("*-cost.csv")
    shown = pd.read_csv(path)["method"].tolist()
    assert shown[:4] == ["'+1+1", "'-2", "'=1\\x1b[2J", "'@SUM(1)"]
    for path in tmp_path.glob("*.svg"):
        assert "\x1b" not in path.read_text()


@pytest.fixture(scope="module")
def fewer_plots(records, tmp_path_factory) -> Path:
    """A folder with a plot of some of the records alone."""
    folder = tmp_path_factory.mktemp("fewer")
    write_plots(records[:-2], folder, Choice(("cost",)))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_names_the_numbers_that_it_shows(plots, fewer_plots, suffix):
    first, second = (folder / f"{STEM}-cost.{suffix}" for folder in (plots, fewer_plots))
    assert described(first) == description(first.with_suffix(".csv").read_text())
    assert described(first) != described(second)


@pytest.mark.slow
def test_what_pictures_say_is_known_without_drawing_them(records, plots):
    said = picture_descriptions(records, FIGURES)
    assert said == {name: described(plots / f"{STEM}-{name}.svg") for name in DRAWN}
