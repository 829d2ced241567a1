"""The tables of planted methods."""

from __future__ import annotations

import re
from statistics import fmean

from planted_results import Planted, World
from tables_of_text import tables, title

from mmulbench.report import leaderboard
from mmulbench.report.standing_markdown import ELSEWHERE


def test_every_path_has_a_column_with_retrains_value_of_the_same_path():
    records = World(seeds=(21, 42)).records({"mmul": Planted({"mia/matching": -0.3})})
    text = leaderboard.render(records, [])
    main, more = tables(text)[:2]
    for name in ("mia", "forget_vs_retain_auc"):
        escaped = title(name).replace("|", "\\|")
        assert escaped not in main["retrain"]
        for path in ("contrastive", "matching"):
            values = [r.values[f"{name}/{path}"].value or 0.0 for r in records if r.spec.method == "retrain"]
            assert main["retrain"][f"{escaped}, {path}"].startswith(f"{fmean(values):.3f}")
    assert more["mmul"][f"{title('mia')}, furthest path"].startswith("matching: 0.1")
    assert more["retrain"][f"{title('mia')}, furthest path"] == ""


def test_a_task_with_one_path_has_one_column_and_no_furthest_path():
    records = World(paths=("classification",)).records({"mmul": Planted()})
    text = leaderboard.render(records, [])
    assert f"{title('mia')}, classification" in tables(text)[0]["mmul"]
    assert ", furthest path |" not in text


def test_chance_stands_below_the_references():
    table = tables(leaderboard.render(World().records({"mmul": Planted()}), []))[0]
    assert list(table) == ["retrain", "retrain′", "chance", "mmul"]
    assert table["chance"]["Test utility"] == "0.040"
    assert table["chance"][f"{title('mia')}, matching"] == "0.500"
    assert table["chance"][title("retrain_gap")] == ""


def marked(text, column):
    """The rows in bold, of the first table."""
    return {row for row, cells in tables(text)[0].items() if cells[column].startswith("**")}


def test_who_cannot_be_told_from_the_best_is_bold_and_the_floor_is_named():
    methods = {
        "original": Planted({"forget": 0.3, "mia/matching": 0.3, "mia/contrastive": 0.3}),
        "near": Planted(),
        "perfect": Planted(),
        "uniform": Planted({"test": -0.2, "retain": -0.2, "forget": -0.2}),
        "one_path": Planted({"mia/contrastive": 0.3}),
        "over": Planted({"mia/matching": -0.3, "mia/contrastive": -0.3}),
    }
    text = leaderboard.render(World().records(methods), [])
    assert marked(text, title("retrain_gap")) == {"near", "perfect"}
    for path in ("matching", "contrastive"):  # what never forgot is not bold even where it is like retrain
        assert marked(text, f"{title('mia')}, {path}") == {"near", "perfect"}
    assert "uniform †" in tables(text)[0]
    assert re.search(r"^† Out of competition, .*: uniform: test −\d+\.\d, retain −\d+\.\d\.$", text, re.M)
    assert re.search(r"^Noise floor of the gap: 0\.0\d\d \(two retrains .*; 15 draws, from", text, re.M)


def test_where_nothing_is_ranked_it_says_why():
    text = leaderboard.render(World(units=16).records({"a": Planted(), "b": Planted({"forget": 0.4})}), [])
    assert "**" not in re.sub(r"(?m)^- .*$|^  .*$", "", text.partition("## emoji")[2].partition("## The")[0])
    assert "\nNothing is ranked here: 16 forget units are too few, it takes 50.\n" in text


def test_models_that_were_made_elsewhere_have_a_table_of_their_own_and_are_not_ranked():
    methods = {"near": Planted({"mia/matching": 0.1}), "mid": Planted({"mia/matching": 0.2})}
    plain = leaderboard.render(World().records(methods), [])
    text = leaderboard.render(World().records({**methods, "external:mine": Planted()}), [])
    first = tables(text)[0]
    assert "external:mine" not in first and set(first) == set(tables(plain)[0])
    assert marked(text, title("retrain_gap")) == marked(plain, title("retrain_gap"))
    assert ELSEWHERE in text and ELSEWHERE not in plain
    own = next(table for table in tables(text)[1:] if "external:mine" in table)
    assert set(own) == {"external:mine"} and "**" not in "".join(own["external:mine"].values())
