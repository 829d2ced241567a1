from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from mmulbench.report.summary import show, summary_table, verdict


def values(contrastive, matching, test=0.747, retain=0.8, retrain=(0.51, 0.46)):
    """Values whose paths are (accuracy, AUC); retrain's are the same on both paths, the original leaks."""
    built = {
        "test": {"value": test, "retrain": 0.75, "original": 0.76, "low": 0.71, "high": 0.78, "n": 1234},
        "retain": {"value": retain, "retrain": 0.8},
        "mia": {"value": max(contrastive[0], matching[0]), "retrain": retrain[0]},
    }
    for path, (accuracy, auc) in {"contrastive": contrastive, "matching": matching}.items():
        built[f"mia/{path}"] = {"value": auc, "retrain": retrain[1], "original": 0.80}
        built[f"mia/{path}/accuracy"] = {"value": accuracy, "retrain": retrain[0], "original": 0.75}
    return built


FORGOTTEN = (0.52, 0.47)
KNOWN = (0.79, 0.80)
OVER = (0.88, 0.10)


def text_of(renderable, width=100):
    out = StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def test_forgot(record):
    assert verdict(record(values=values(FORGOTTEN, FORGOTTEN))) == (
        "mmul forgot: the attacks tell its forget set from test data about as well as retrain's "
        "(MIA .52, retrain .51), test utility is 0.3 points below retrain's, at 4 % of retraining's time."
    )


def test_one_leaking_path_is_enough_not_to_have_forgotten(record):
    sentence = verdict(record(values=values(KNOWN, FORGOTTEN)))
    assert sentence.startswith(
        "mmul did not forget: the contrastive path still gives the forget set away (MIA .79, retrain .51), "
    )


def test_more_separation_than_retrain_is_over_forgetting(record):
    sentence = verdict(record(values=values(FORGOTTEN, OVER)))
    assert sentence.startswith("mmul over-forgot: the matching path sets the forget set further apart")
    assert "(MIA .88, retrain .51)" in sentence


def test_over_forgetting_that_accuracy_hides_is_told_by_the_auc(record):
    sentence = verdict(record(values=values(FORGOTTEN, (0.53, 0.30))))
    assert "(attack AUC .30, retrain .46)" in sentence


def test_both_kinds_of_leak_are_named(record):
    sentence = verdict(record(values=values(KNOWN, OVER)))
    assert sentence.startswith("mmul did not forget: the contrastive path still gives")
    assert "the matching path sets the forget set further apart" in sentence


def test_accuracy_at_retrain_s_level_does_not_hide_a_leak(record):
    # Retrain's forget pairs are harder than test pairs (AUC .40), this run's as much easier: same accuracy.
    sentence = verdict(record(values=values((0.57, 0.60), (0.57, 0.40), retrain=(0.57, 0.40))))
    assert sentence.startswith("mmul did not forget: the contrastive path still knows the forget set better")
    assert "(attack AUC .60, retrain .40)" in sentence


@pytest.mark.parametrize(
    ("units", "accuracy", "auc", "word"),
    [
        (200, 0.56, 0.46, "forgot:"),
        (200, 0.57, 0.47, "did not forget"),
        (200, 0.51, 0.53, "forgot:"),
        (200, 0.51, 0.54, "did not"),
        (5000, 0.57, 0.47, "did not forget"),
        (50, 0.61, 0.46, "forgot:"),  # a quarter of the units, twice the standard error
        (50, 0.62, 0.47, "did not forget"),
        (50, 0.51, 0.60, "forgot:"),
        (50, 0.51, 0.61, "did not"),
    ],
)
def test_tolerances(record, units, accuracy, auc, word):
    found = record(values=values((accuracy, auc), FORGOTTEN), forget_size=units)
    assert verdict(found).startswith(f"mmul {word}")


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"test": 0.50}, "mmul forgot but lost utility: the attacks"),
        ({"retain": 0.70}, "mmul forgot but lost utility: the attacks"),
        ({"test": 0.73, "retain": 0.78}, "mmul forgot: the attacks"),
    ],
)
def test_lost_utility(record, split, expected):
    sentence = verdict(record(values=values(FORGOTTEN, FORGOTTEN, **split)))
    assert sentence.startswith(expected)
    assert ("retain utility is 10.0 points below" in sentence) == (split.get("retain") == 0.70)


def test_lost_utility_without_forgetting(record):
    sentence = verdict(record(values=values(KNOWN, KNOWN, test=0.4)))
    assert sentence.startswith("mmul did not forget and lost utility:")


def test_without_reference_nothing_is_judged(record):
    sentence = verdict(
        record(values={"test": 0.7, "mia/matching": 0.5, "mia/matching/accuracy": 0.5}, ratio=None)
    )
    assert sentence.startswith("mmul cannot be judged: its record holds no attack")
    assert sentence.endswith("test utility is not known beside retrain's, in 10.0 s.")


def test_an_original_that_gives_nothing_away_proves_nothing(record):
    entries = values(FORGOTTEN, FORGOTTEN)
    for key in entries:
        if key.startswith("mia/"):
            entries[key]["original"] = entries[key]["retrain"]
    assert verdict(record(values=entries)).startswith(
        "mmul cannot be judged: these attacks find nothing in the original to forget (before unlearning: MIA"
    )


def test_runs_without_numbers(record):
    assert verdict(record(status="diverged", reason="the loss became NaN at step 7", seconds=None)) == (
        "mmul diverged: the loss became NaN at step 7."
    )
    assert verdict(record(status="failed", seconds=None)) == "mmul failed: no reason was recorded."
    assert verdict(
        record("erm_ktp", status="not_applicable", reason="no class to delete.", seconds=None)
    ) == ("erm_ktp does not apply to emoji: no class to delete.")


def test_retrain_is_the_reference(record):
    sentence = verdict(record("retrain", values=values(FORGOTTEN, FORGOTTEN), seconds=300, ratio=1.0))
    assert sentence == "retrain is the reference that every other run is compared with, in 300.0 s."


def test_summary_table_has_the_headline_and_cost_at_80_columns(record):
    text = text_of(summary_table(record(values=values(FORGOTTEN, FORGOTTEN))), width=80)
    line = next(line for line in text.splitlines() if "Test utility" in line)
    assert line.split()[2:] == ["0.747", "0.760", "0.750", "≥", "retrain", ".710–.780", "1,234"]
    line = next(line for line in text.splitlines() if "MIA AUC" in line)
    assert line.split() == ["MIA", "AUC", "0.520", "–", "0.510", "→retrain", "100"]
    assert "10.0 s" in text
    assert "0.040" in text
    assert "contrastive" not in text


def test_show_has_everything(record):
    result = record(
        values=values(KNOWN, FORGOTTEN) | {"test/i2t_r@10": 0.5},
        config={"lr": 0.001},
        missing=["relearn time: needs a [budget]"],
    )
    text = text_of(show(result))
    expected = [result.run_id, "mmul (lr=0.001)", "epochs=5, lr=0.001", "did not forget", "i2t_r@10"]
    expected += ["contrastive/accuracy", "needs a [budget]", "torch 2.13.0", result.command]
    assert [piece for piece in expected if piece not in text] == []


def test_show_has_what_shadow_models_tell(record):
    klom = {"value": 2.5, "original": 9.0, "retrain": 0.0, "chance": 1.25}
    shadowed = {"u_lira": 0.9, "u_lira/matching/tpr@1%": 0.25, "klom": klom, "klom/matching/test": klom}
    result = record(values=values(KNOWN, FORGOTTEN) | shadowed, shadows=15)
    lines = [line.split() for line in text_of(show(result)).splitlines()]
    assert ["shadow", "models", "15"] in lines
    assert ["KLOM", "above", "chance", "2.500", "9.000", "0.000", "lower", "100"] in lines
    assert ["matching/test", "2.500", "9.000", "0.000", "lower", "100"] in lines
    assert ["matching/tpr@1%", "0.250", "–", "–", "→retrain", "100"] in lines


def test_show_of_a_failed_run(record):
    text = text_of(show(record(status="failed", reason="no space [disk]", seconds=None)))
    assert "mmul failed: no space [disk]." in text
    assert "Details" not in text
