"""The sentence of planted values; that it is true of planted models is tested among the known answers."""

from __future__ import annotations

import pytest

from mmulbench.report.floor import Floor, analytical_resolution
from mmulbench.report.verdict import verdict

PATHS = ("contrastive", "matching")
RETRAIN = {"contrastive": 0.48, "matching": 0.46}
MEASURED = Floor(dict.fromkeys(PATHS, 0.02), dict.fromkeys(PATHS, 5))


def values(contrastive=0.5, matching=0.47, test=0.747, retain=0.8):
    """Values of a model with these AUCs; the original's are .80."""
    built = {"test": {"value": test, "retrain": 0.75}, "retain": {"value": retain, "retrain": 0.8}}
    for path, auc in {"contrastive": contrastive, "matching": matching}.items():
        built[f"mia/{path}"] = {"value": auc, "retrain": RETRAIN[path], "original": 0.80}
        built[f"mia/{path}/accuracy"] = {"value": 0.99, "retrain": 0.5, "original": 0.99}
    return built


def test_forgot(record):
    assert verdict(record(values=values()), MEASURED) == (
        "mmul forgot: the attack sees as much as on retrain (contrastive: attack AUC .50, retrain .48; two "
        "retrains differ by up to .02, the units resolve .10), test utility is 0.3 points below retrain's, "
        "at 4 % of retraining's time."
    )


def test_one_leaking_path_is_enough_not_to_have_forgotten(record):
    assert verdict(record(values=values(contrastive=0.79)), MEASURED).startswith(
        "mmul did not forget: the contrastive path still knows the forget set (attack AUC .79, retrain .48; "
        "two retrains differ by up to .02, the units resolve .10), test utility is "
    )


def test_an_auc_below_retrain_s_is_over_forgetting(record):
    sentence = verdict(record(values=values(matching=0.10)), MEASURED)
    assert sentence.startswith(
        "mmul over-forgot: the matching path finds the forget set harder than retrain does (attack AUC .10, "
    )


def test_both_kinds_of_difference_are_named(record):
    sentence = verdict(record(values=values(0.79, 0.10)), MEASURED)
    assert sentence.startswith("mmul did not forget: the contrastive path still knows")
    assert "the matching path finds the forget set harder" in sentence


@pytest.mark.parametrize(
    ("units", "floor", "away", "word"),
    [
        (200, 0.02, 0.05, "forgot:"),  # the units resolve .058
        (200, 0.02, 0.06, "did not forget"),
        (200, 0.02, -0.05, "forgot:"),
        (200, 0.02, -0.06, "over-forgot"),
        (5000, 0.02, 0.019, "forgot:"),  # the units resolve .012, the noise is larger
        (5000, 0.02, 0.021, "did not forget"),
        (5000, None, 0.049, "forgot:"),  # where no retrains say it, .05 is taken
        (5000, None, 0.051, "did not forget"),
        (50, 0.02, 0.11, "forgot:"),
        (50, 0.02, 0.12, "did not forget"),
        (49, 0.02, 0.3, "cannot be judged: 49 forget units are too few (at least 50), "),
        (1, 0.02, 0.3, "cannot be judged: 1 forget unit is too few (at least 50), "),
    ],
)
def test_a_difference_exceeds_both_noise_and_resolution(record, units, floor, away, word):
    known = None if floor is None else Floor(dict.fromkeys(PATHS, floor), dict.fromkeys(PATHS, 3))
    found = record(values=values(matching=RETRAIN["matching"] + away), forget_size=units)
    assert verdict(found, known).startswith(f"mmul {word}")


def test_an_unknown_noise_floor_is_said_with_the_command_that_measures_it(record):
    hint = (
        " Noise floor unknown: `mmulbench run --method retrain_again --task emoji …` measures it (3 draws, "
        "`--set draw=2` and so on)."
    )
    found = record(values=values(contrastive=0.79))
    few = Floor(dict.fromkeys(PATHS, 0.02), dict.fromkeys(PATHS, 2))
    for floor in (None, Floor(), few):
        sentence = verdict(found, floor)
        assert sentence.endswith(hint)
        assert "two retrains" not in sentence
    assert "Noise floor unknown" not in verdict(found, MEASURED)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"test": 0.50}, "mmul forgot but lost utility: the attack"),
        ({"retain": 0.70}, "mmul forgot but lost utility: the attack"),
        ({"test": 0.72, "retain": 0.77}, "mmul forgot: the attack"),  # 3.0 points are not more than 3
    ],
)
def test_lost_utility(record, split, expected):
    sentence = verdict(record(values=values(**split)), MEASURED)
    assert sentence.startswith(expected)
    assert ("retain utility is 10.0 points below" in sentence) == (split.get("retain") == 0.70)


@pytest.mark.parametrize("test", [0.75, 0.7499, 0.95])
def test_utility_above_retrain_s_is_no_merit(record, test):
    assert "test utility is not below retrain's" in verdict(record(values=values(test=test)), MEASURED)


def test_lost_utility_without_forgetting(record):
    sentence = verdict(record(values=values(contrastive=0.9, test=0.4)), MEASURED)
    assert sentence.startswith("mmul did not forget and lost utility:")


def test_without_reference_nothing_is_judged(record):
    sentence = verdict(record(values={"test": 0.7, "mia/matching": 0.5}, ratio=None))
    assert sentence.startswith("mmul cannot be judged: its record holds no attack")
    assert sentence.endswith("test utility is not known beside retrain's, in 10.0 s.")


def test_an_original_that_gives_nothing_away_proves_nothing(record):
    entries = values()
    for path in PATHS:
        entries[f"mia/{path}"]["original"] = RETRAIN[path] + 0.9 * analytical_resolution(70)
    assert verdict(record(values=entries), MEASURED).startswith(
        "mmul cannot be judged: the attack finds nothing in the original to forget (before unlearning, "
    )
    entries["mia/matching"]["original"] = RETRAIN["matching"] + 1.1 * analytical_resolution(70)
    assert verdict(record(values=entries), MEASURED).startswith("mmul forgot:")


def test_runs_without_numbers(record):
    assert verdict(record(status="diverged", reason="the loss became NaN at step 7", seconds=None)) == (
        "mmul diverged: the loss became NaN at step 7."
    )
    assert verdict(record(status="failed", seconds=None)) == "mmul failed: no reason was recorded."
    assert verdict(
        record("erm_ktp", status="not_applicable", reason="no class to delete.", seconds=None)
    ) == ("erm_ktp does not apply to emoji: no class to delete.")


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(0.996, "1.0 times"), (1.24, "1.2 times"), (0.994, "99 %"), (0.0126, "1.3 %")],
)
def test_the_time_is_a_number_that_people_read(record, ratio, said):
    sentence = verdict(record(values=values(), ratio=ratio), MEASURED)
    assert f"at {said}" in sentence and "e+" not in sentence


def test_retrain_is_the_reference(record):
    sentence = verdict(record("retrain", values=values(), seconds=300, ratio=1.0))
    assert sentence == "retrain is the reference that every other run is compared with, in 300.0 s."


def test_another_retrain_is_not_judged_but_measures(record):
    assert verdict(record("retrain_again", values=values(), ratio=1.0)) == (
        "retrain_again measures the noise floor: attack AUC contrastive .50, retrain .48; matching .47, "
        "retrain .46, test utility is 0.3 points below retrain's, at 1.0 times retraining's time."
    )
