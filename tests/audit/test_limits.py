from __future__ import annotations

import pytest
from audited import beside_validation, without_retrain
from forged import forged

from mmulbench.audit.limits import MOST_LINES, limits
from mmulbench.report.floor import Floor

MAKING = {"device": "cuda:0", "threads": 1, "cpu": None}
KNOWN = Floor(bounds={"contrastive": 0.02, "matching": 0.02}, draws={"contrastive": 5, "matching": 5})


def found(result, floor=None, changed=()):
    told: dict[str, str] = {}
    for one in limits(result, floor or Floor(), changed):
        told[one.about] = f"{told.get(one.about, '')} {one.text}".strip()
    return told


def of(changes, **how):
    return found(forged(changes), **how)


def test_always_said_is_what_no_run_can_know():
    assert {"Other copies", "One run", "Small differences"} <= of({}).keys()
    assert "seed 42" in of({})["One run"]


def test_without_retrain_it_says_what_that_means():
    told = found(without_retrain(forged({})))
    assert "compared with .5, which holds for data that nobody trained on" in told["No retrain"]
    assert "matching (0." in told["Attack beside .5"] and "over-forgetting" in told["Attack beside .5"]
    assert "Small differences" not in told
    assert "No retrain" not in of({})


def test_without_retrain_validation_data_are_as_far_as_it_goes():
    told = found(beside_validation(forged({})))
    assert "can only be compared with validation data" in told["No retrain"]
    assert "contrastive (0." in told["Attack beside validation data"]
    assert "matching" not in told["Attack beside validation data"] and "Attack beside .5" not in told


def test_what_rests_on_the_word_of_who_gave_a_model_is_named():
    def told(given, change=lambda record: record):
        record = change(forged({"spec.given": given}))
        return {name for name in found(record) if name.endswith("was given")}

    assert told({}) == set()
    assert told({"original": "a", "retrain": "b"}) == {"Retrain was given"}
    assert told({"original": "a", "unlearned": "c"}) == {"Original was given", "Unlearned model was given"}
    assert told({"original": "a"}, without_retrain) == set()


def test_an_unchecked_reference_is_named():
    assert "Retrain was not checked" in of({"spec.backbone": "clip:a@0123456789ab"})


def test_a_path_that_the_original_never_learned_is_named():
    told = of({"values.decoupling/matching/auc.original": 0.5})
    assert "AUC 0.50, and above 0.60 counts as learned" in told["Nothing learned on matching"]
    assert not [name for name in of({}) if name.startswith("Nothing learned")]


@pytest.mark.parametrize(("units", "too_few"), [(49, True), (50, False)])
def test_few_units_are_named(units, too_few):
    assert ("Too few units" in of({"spec.forget_size": units})) == too_few


def test_the_noise_floor_is_named_where_it_is_a_guess():
    assert "0.05 was taken for it" in of({})["Noise floor"]
    assert "Noise floor" not in of({}, floor=KNOWN)


def test_attacks_that_were_not_made_are_named():
    assert "U-LiRA" in of({})["Stronger attacks"]
    assert "Stronger attacks" not in of({"shadows": 8})


def test_settings_that_nobody_searched_for_are_named():
    assert {"Settings were not searched for", "Origin of settings"} <= of({"origins": {}}).keys()
    study = {"study_id": "s" * 12, "task": "flags", "backbone": "albef:packaged", "forget_size": 8}
    tuned = of({"tuning": {**study, "trials": 20, "budget": 0.5}})
    assert "chosen on flags with albef:packaged, not on emoji" in tuned["Settings from elsewhere"]
    here = of({"tuning": {**study, "task": "emoji", "trials": 20, "budget": 0.5}})
    assert (
        not {"Settings from elsewhere", "Settings were not searched for", "Origin of settings"} & here.keys()
    )


def test_machines_and_code_are_named_where_they_leave_questions():
    assert "Where models were trained" in of({})
    other = of({"models": {"original": MAKING}})
    assert "original was trained with other device (cuda:0, here cpu)" in other["Another machine"]
    assert "Version of the program" not in of({})
    assert "changed after" in of({"environment.git_commit": "1b7e5e5-dirty"})["Version of the program"]
    assert "unknown" in of({"environment.git_commit": None})["Version of the program"]
    assert "mmul: from plug-in files" in of({"spec.plugins": {"mmul": "0" * 12}})["Code of others"]
    assert "The code of method, task" in of({}, changed=["method", "task"])["Code has changed"]


def test_what_the_record_leaves_out_is_taken_over_but_not_without_end():
    lines = [f"metric {number}: too little." for number in range(MOST_LINES + 5)]
    told = of({"missing": lines})["Left out of the record"]
    assert told.count("too little.") == MOST_LINES and "5 further things" in told


def test_a_failed_run_has_no_numbers():
    told = of({"status": "failed", "reason": "no room", "values": {}})
    assert "No numbers" in told and not {"No retrain", "One run", "Stronger attacks"} & told.keys()
