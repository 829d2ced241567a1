from __future__ import annotations

import pytest
from audited import without_retrain
from forged import forged

from mmulbench.audit.done import costs, done, has_retrain, settings


def facts(result):
    return {fact.label: fact.text for fact in done(result)}


def tuning(**changes):
    fields = {"study_id": "s" * 12, "task": "flags", "backbone": "albef:tiny", "forget_size": 8, "trials": 20}
    return {**fields, "budget": 0.5, **changes}


def test_it_names_method_and_models():
    found = facts(forged({}))
    assert found["Method"].startswith("mmul: ")
    assert found["Original"] == "trained here on all training data, by the recipe below"
    assert found["Retrain"] == "trained here by the same recipe on all training data but the forget set"
    assert "epochs=150" in found["Training recipe"]
    assert found["Search for settings"] == "none: the settings were not searched for"


def test_without_retrain_it_says_so():
    result = without_retrain(forged({}))
    assert not has_retrain(result)
    assert facts(result)["Retrain"] == "none: there is no model to compare with"


def test_models_that_were_given_are_named():
    given = {name: f"clip:{name}@0123456789ab" for name in ("original", "retrain", "unlearned")}
    found = facts(forged({"spec.given": given, "spec.method": "external:mine", "weights": "c" * 64}))
    assert found["Method"].startswith("mine, whose code is not here")
    assert found["Digest of the unlearned weights"] == "c" * 64
    assert found["Original"] == "given: clip:original@0123456789ab"
    assert found["Retrain"] == "given: clip:retrain@0123456789ab"
    assert found["Unlearned model"] == "given: clip:unlearned@0123456789ab"
    commit = "0123456789abcdef0123456789abcdef01234567"
    on_hub = {"revisions": {"original": f"some-one/clip@{commit}"}}
    named = facts(forged({"spec.given": {"original": "clip:some-one/clip@0123456789ab"}, **on_hub}))
    assert named["Original"] == f"given: clip:some-one/clip@0123456789ab, commit {commit} on the hub"
    started = facts(forged({"spec.given": {"original": "clip:a@0123456789ab"}, "spec.backbone": "clip:b"}))
    assert started["Retrain"].startswith("trained here from clip:b, by the recipe below")


def test_a_checked_start_is_told_with_its_numbers():
    attack = {"value": 0.51, "low": 0.45, "high": 0.57}
    start = {"forget": {"matching": attack}, "retain": {}, "utility": {"test": 0.1}, "limit": 0.53}
    text = facts(forged({"start": start}))["Start of retrain"]
    assert "matching 0.510 (0.450 to 0.570)" in text and "from 0.53 on" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "best of 20 trials on flags with albef:tiny (study ssssssssssss)"),
        ({"overridden": ["lr"]}, "(study ssssssssssss), except lr, set by hand"),
        ({"found": False}, "in vain: no trial was within the budget"),
        ({"kept_default": True}, "the method's own settings proved no worse"),
    ],
)
def test_it_says_what_a_search_came_to(changes, said):
    assert said in facts(forged({"tuning": tuning(**changes)}))["Search for settings"]


def test_settings_have_their_values_and_origins():
    origins = {"epochs": "command line", "lr": "study 12ab", "alpha": "default"}
    found = {one.name: one for one in settings(forged({"origins": origins}))}
    assert found.keys() == forged({}).spec.config.keys()
    assert found["epochs"][1:] == ("5", "set by hand")
    assert found["lr"][1:] == ("0.0003", "found by search")
    assert found["alpha"].origin == "the method's own value"
    assert found["beta"].origin == "not recorded"


def test_costs_stand_beside_those_of_training_again():
    result = forged({"cost.seconds": 60.0, "cost.seconds_ratio": 0.25, "cost.flops": 2.5e11})
    found = {line.label: line[1:] for line in costs(result)}
    assert found["Time"] == ("60.0 seconds", "4.0 minutes", "25.0 %")
    assert found["Computation (operations)"][0] == "2.50 × 10¹¹"
    assert found["Training pairs seen"][0] == f"{result.cost.samples:,}"
    alone = {line.label: line[1:] for line in costs(forged({"cost.seconds_ratio": None}))}
    assert alone["Time"][1:] == ("–", "–")
    assert costs(forged({"cost": None})) == []
