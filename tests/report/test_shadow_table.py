"""Tables of what rests on shadow models."""

from __future__ import annotations

from tables_of_text import run, tables

from mmulbench.report import leaderboard


def judged(record, method, seed, u_lira, shadows=15, **fields):
    """A record with shadow models."""
    beside = {"retrain": 0.5, "low": u_lira - 0.03, "high": u_lira + 0.03}
    names = ("u_lira/matching", "u_lira/matching/test", "lira/matching")
    values = {"test": 0.5, **{name: {"value": u_lira, **beside} for name in names}, "klom/matching": None}
    missing = ["klom: 15 models of each kind; at least 64, so that only its details are given"]
    return record(method, seed, values, shadows=shadows, missing=missing, **fields)


def test_what_rests_on_shadow_models_has_tables_for_each_number_of_them(record):
    records = [
        judged(record, "mmul", 42, 0.8),
        judged(record, "mmul", 87, 0.9),
        judged(record, "npo", 42, 0.55, shadows=3),
        *run(record, "finetune", test=0.7),
    ]
    text = leaderboard.render(records, [])
    whole, few, many = tables(text)
    assert list(whole) == ["finetune", "mmul", "npo"]
    assert text.count("\n<summary>Judged by ") == 2
    assert text.index(">Judged by 3 shadow models<") < text.index(">Judged by 15 shadow models<")
    assert list(few) == ["retrain", "npo"]
    assert many["mmul"]["U-LiRA, centred"] == "0.850 [0.829, 0.871]"


def test_a_refused_value_says_how_many_models_it_takes(record):
    table = tables(leaderboard.render([judged(record, "mmul", 42, 0.8)], []))[-1]
    assert table["mmul"]["KLOM above chance"] == "needs 64 models"
    assert table["mmul"]["RMIA"] == "missing"


def test_attack_and_control_stand_side_by_side_on_each_path(record):
    values = {
        f"u_lira/{path}{part}": {"value": number, "retrain": 0.5, "low": number - 0.1, "high": number + 0.1}
        for path, shift in (("contrastive", 0.0), ("matching", 0.05))
        for part, number in (("", 0.6 + shift), ("/forget", 0.9), ("/test", 0.8), ("/difference", 0.1))
    }
    text = leaderboard.render([record("mmul", 42, values, shadows=64)], [])
    for path, centred in (("contrastive", "0.600"), ("matching", "0.650")):
        (table,) = tables(
            "| Method" + text.partition(f"On the {path} path:\n\n| Method")[2].partition("\n\n")[0]
        )
        assert list(table) == ["retrain", "mmul"]
        assert table["mmul"]["U-LiRA, centred"].startswith(f"{centred} [")
        assert table["mmul"]["U-LiRA, Df"] == "0.900 [0.800, 1.000]"
        assert table["mmul"]["U-LiRA, test (control)"] == "0.800 [0.700, 0.900]"
        assert table["mmul"]["difference"] == "0.100 [0.000, 0.200]"
        assert table["retrain"]["U-LiRA, centred"] == "0.500"
