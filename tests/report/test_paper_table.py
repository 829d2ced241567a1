"""The paper's tables and claims, of planted records."""

from __future__ import annotations

import pytest
from planted_results import Planted, World
from tables_of_text import tables

from mmulbench.records.schema import Value
from mmulbench.report import leaderboard
from mmulbench.report.aggregate import group_records
from mmulbench.report.paper_table import BASELINES, claims

FUSED, CONTRASTIVE = "forget_vs_retain_auc/matching", "forget_vs_retain_auc/contrastive"
METHODS = {
    "mmul": Planted({FUSED: 0.4, CONTRASTIVE: -0.1, "test": -0.02}, training=0.001),
    "finetune": Planted({FUSED: 0.1}, training=0.001),
    "kga": Planted({FUSED: 0.2, CONTRASTIVE: -0.05}, training=0.001),
    "npo": Planted({FUSED: 0.5}, training=0.001),
}


def with_ratio(record):
    ratio = Value(value=1.5, n=9, direction="closest_to_retrain")
    return record.model_copy(update={"values": {**record.values, "mi_ratio/matching/ratio": ratio}})


def records_of(task="emoji", methods=METHODS):
    return [with_ratio(one) for one in World(spec={"task": task}).records(methods)]


def test_claims_are_margins_over_the_best_of_the_papers_baselines_and_the_distance_on_test():
    (group,) = group_records(records_of())
    found = claims(group, "matching", "default")
    assert (found.fused.baseline, found.contrastive.baseline) == ("kga", "finetune")
    assert found.fused.points.mean == pytest.approx(20, abs=1.5)
    assert found.contrastive.points.mean == pytest.approx(-10, abs=1.5)
    assert found.distance == pytest.approx(2, abs=1.5)
    assert found.noise == pytest.approx(1.13, abs=0.7)
    assert claims(group, "matching", "tuned") is None


def test_the_table_shows_raw_values_of_the_papers_methods_alone():
    world = World()
    records = records_of()
    tuned = [world.tuned(one, lr=0.1) for one in records if one.spec.method == "mmul"]
    text = leaderboard.render_paper([*records, *tuned])
    (table,) = tables(text)
    assert list(table) == [
        "retrain",
        "retrain′",
        "mmul (default)",
        "mmul (tuned)",
        "finetune (default)",
        "kga (default)",
    ]
    assert table["mmul (tuned)"]["MI ratio"] == "1.500 ± 0.000"
    assert table["mmul (tuned)"]["Df\\|Dr AUC"].startswith("0.9")
    assert "MMUL (tuned), Df|Dr on the contrastive path: −" in text
    assert "`gradient_ascent`, `descent_to_delete`, `l_codec`, `erm_ktp`." in text


def test_the_claims_over_tasks_are_means_of_the_tables():
    better = {**METHODS, "mmul": Planted({FUSED: 0.6, CONTRASTIVE: -0.1}, training=0.001)}
    text = leaderboard.render([*records_of(), *records_of("flags", better)], [])
    (line,) = [one for one in text.splitlines() if one.startswith("**MMUL (default), over all tasks.**")]
    assert "Df|Dr on the fused path: +3" in line or "Df|Dr on the fused path: +29" in line
    assert "(the paper: +17.6), mean over 2 tables." in line
    assert "points from retrain (the paper: 0.3), mean over 2 tables; a second retrain is " in line
    assert "MMUL (tuned), over all tasks" not in text
    assert line.endswith("All of the baselines that apply were run in 0 of 2 tables.")


def test_where_all_baselines_were_run_nothing_is_said_of_it():
    every = {**METHODS, **dict.fromkeys(BASELINES, Planted())}
    text = leaderboard.render(records_of(methods=every), [])
    assert "over all tasks.**" in text and "All of the baselines" not in text
    for name in BASELINES:
        text = leaderboard.render(records_of(methods={key: every[key] for key in every if key != name}), [])
        assert "All of the baselines that apply were run in 0 of 1 tables." in text


def test_settings_that_tuning_kept_are_both_default_and_tuned():
    world = World()
    records = [world.tuned(one) if one.spec.method == "mmul" else one for one in records_of()]
    (group,) = group_records(records)
    assert claims(group, "matching", "default") == claims(group, "matching", "tuned") is not None
    assert "mmul (default and tuned)" in tables(leaderboard.render_paper(records))[0]


def test_without_records_of_the_method_nothing_is_claimed():
    records = records_of(methods={"kga": Planted()})
    text = leaderboard.render_paper(records)
    assert "MMUL (" not in text
    assert "Without a record here: `mmul` (default), `mmul` (tuned), `finetune`" in text
    assert not tables(leaderboard.render_paper(World().records({"npo": Planted()}, draws=0)[1:2]))
    assert "No runs yet" in leaderboard.render_paper([])


def test_a_model_without_a_fused_path_has_no_table():
    world = World(paths=("contrastive",))
    assert "The paper's protocol" not in leaderboard.render(world.records({"mmul": Planted()}), [])
