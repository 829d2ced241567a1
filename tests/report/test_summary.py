from __future__ import annotations

from io import StringIO

from rich.console import Console

from mmulbench.failure import Frame
from mmulbench.metrics.catalogue import built_in
from mmulbench.records.schema import Tuning
from mmulbench.report.floor import Floor
from mmulbench.report.summary import show, summary_table


def values(contrastive=0.8, matching=0.47, test=0.747):
    """Values of a model with two paths; retrain's AUCs are .51 and .46."""
    return {
        "test": {"value": test, "retrain": 0.75, "original": 0.76, "low": 0.71, "high": 0.78, "n": 1234},
        "retain": {"value": 0.8, "retrain": 0.8},
        "mia": {"value": max(contrastive, matching), "retrain": 0.51},
        "mia/contrastive": {"value": contrastive, "retrain": 0.51, "original": 0.85, "chance": 0.5},
        "mia/matching": {"value": matching, "retrain": 0.46, "original": 0.75, "chance": 0.5},
        "mia/contrastive/accuracy": {"value": 0.7, "retrain": 0.52},
    }


def text_of(renderable, width=100):
    out = StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def lines_of(result, width=80):
    return [line.split() for line in text_of(summary_table(result), width).splitlines()]


def test_summary_table_has_the_headline_and_cost_at_80_columns(record):
    lines = lines_of(record(values=values()))
    assert ["Test", "utility", "0.747", "0.760", "0.750", "–", "≥retrain", ".710–.780", "1,234"] in lines
    assert ["Time", "10.0", "s"] in lines
    assert ["Time", "/", "retrain", "0.040"] in lines


def test_paths_are_shown_each_beside_retrain_s_value_of_the_same_path(record):
    both = {"value": 0.6, "retrain": 0.7}
    other = {f"forget_vs_retain_auc{path}": both for path in ("", "/contrastive", "/matching")}
    lines = lines_of(record(values=values() | other))
    place = lines.index(["MIA", "AUC"])
    assert lines[place + 1] == ["contrastive", "0.800", "0.850", "0.510", "0.500", "→retrain", "100"]
    assert lines[place + 2] == ["matching", "0.470", "0.750", "0.460", "0.500", "→retrain", "100"]
    assert sum(line[:1] == ["contrastive"] for line in lines) == 2
    assert ["MIA", "AUC"] not in [line[:2] for line in lines if len(line) > 2]


def test_chance_is_beside_utilities_and_modalities_have_lines(record):
    measured = {
        "forget": {"value": 0.55, "original": 0.6, "retrain": 0.5, "chance": 0.042},
        "unimodal_cka": 0.9,
        "unimodal_cka/image": {"value": 0.95, "original": 1.0, "retrain": 0.97},
        "unimodal_cka/text": {"value": 0.9, "original": 1.0, "retrain": 0.98},
        "agreement": {"value": 0.4, "chance": 0.0},
    }
    lines = lines_of(record(values=measured))
    assert ["Forget", "utility", "0.550", "0.600", "0.500", "0.042", "→retrain", "100"] in lines
    place = lines.index(["Unimodal", "CKA"])
    assert lines[place + 1][:4] == ["image", "0.950", "1.000", "0.970"]
    assert lines[place + 2][:4] == ["text", "0.900", "1.000", "0.980"]
    assert ["Agreement", "0.400", "–", "–", "0.000", "higher", "100"] in lines


def test_all_built_in_metrics_fit_80_columns(record):
    wide = {"value": 0.8, "original": 0.8, "retrain": 0.8, "low": 0.7, "high": 0.9, "chance": 0.1, "n": 12345}
    names = [metric.name for metric in built_in() if metric.has_headline]
    found = {f"{name}{path}": wide for name in names for path in ("", "/contrastive", "/classification")}
    shown = text_of(summary_table(record(values=found)), width=80)
    assert "…" not in shown
    assert [line for line in shown.splitlines() if ".700–.900" in line and not line.endswith("12,345")] == []


def test_a_headline_without_a_number_says_why(record):
    reason = "klom: 12 models of each kind; at least 64, so that only its details are given"
    result = record(values={"test": 0.7, "klom": None, "klom/matching": None}, missing=[reason, "rates: few"])
    text = " ".join(text_of(summary_table(result)).split())
    assert "matching – – – – lower 100" in text
    assert f"Without a number is {reason}" in text
    assert "rates" not in text


def test_show_has_everything(record):
    result = record(
        values=values() | {"test/i2t_r@10": 0.5},
        config={"lr": 0.001},
        missing=["relearn time: needs a [budget]"],
    )
    text = text_of(show(result))
    expected = [result.run_id, "mmul (lr=0.001)", "epochs=5, lr=0.001", "did not forget", "i2t_r@10"]
    expected += ["contrastive/accuracy", "needs a [budget]", "torch 2.13.0"]
    assert [piece for piece in expected if piece not in text] == []


def test_show_says_where_settings_come_from(record):
    tuning = Tuning(
        study_id="0" * 12,
        task="emoji",
        backbone="albef:tiny",
        forget_size=2,
        trials=3,
        budget=0.5,
        overridden=("epochs",),
    )
    places = {"lr": f"study {'0' * 12}", "epochs": "command line", "alpha": "default", "recipe.lr": "default"}
    result = record(config={"lr": 0.1, "epochs": 1, "alpha": 1.0}, tuning=tuning, origins=places)
    text = " ".join(text_of(show(result)).split())
    assert "forget size 2 (study 000000000000), except epochs" in text
    assert "settings from command line: epochs; study 000000000000: lr; all others: default" in text
    assert "settings from" not in text_of(show(record(origins={"alpha": "default"})))
    assert "settings from" not in text_of(show(record()))


def test_show_carries_the_noise_floor(record):
    paths = ("contrastive", "matching")
    floor = Floor(dict.fromkeys(paths, 0.03), dict.fromkeys(paths, 5))
    assert "two retrains differ by up to .03" in " ".join(
        text_of(show(record(values=values()), floor)).split()
    )
    assert "Noise floor unknown" in " ".join(text_of(show(record(values=values()))).split())


def test_details_do_not_repeat_the_table(record):
    table, _, details = text_of(show(record(values=values()))).partition("Details")
    assert "contrastive" in table
    assert [line.split()[:2] for line in details.splitlines() if "contrastive" in line] == [
        ["contrastive/accuracy", "0.700"]
    ]


def test_show_has_what_shadow_models_tell(record):
    klom = {"value": 2.5, "original": 9.0, "retrain": 0.0, "chance": 1.25}
    shadowed = {"u_lira": 0.9, "u_lira/matching/tpr@1%": 0.25, "klom": klom, "klom/matching/test": klom}
    result = record(values=values() | shadowed, shadows=15)
    lines = [line.split() for line in text_of(show(result)).splitlines()]
    assert ["shadow", "models", "15"] in lines
    assert ["KLOM", "above", "chance", "2.500", "9.000", "0.000", "1.250", "lower", "100"] in lines
    assert ["matching/test", "2.500", "9.000", "0.000", "1.250", "lower", "100"] in lines
    assert ["matching/tpr@1%", "0.250", "–", "–", "–", "→retrain", "100"] in lines


def test_show_of_a_failed_run(record):
    text = text_of(show(record(status="failed", reason="no space [disk]", seconds=None)))
    assert "mmul failed: no space [disk]." in text
    assert "Details" not in text and "Failed in" not in text


def test_show_of_a_failed_run_has_the_lines_where_it_failed(record):
    trace = [
        Frame(file="mine.py", line=3, function="unlearn", source="return self.loss(x)"),
        Frame(file="mine.py", line=7, function="loss", source="return x[[0]]\x1b"),
    ]
    text = text_of(show(record(status="failed", reason="IndexError: 0", seconds=None, trace=trace)))
    lines = [line.strip() for line in text.splitlines()]
    place = lines.index("Failed in:")
    assert lines[place + 1] == "mine.py:3 in unlearn: return self.loss(x)"
    assert lines[place + 2] == "mine.py:7 in loss: return x[[0]]\\x1b"
