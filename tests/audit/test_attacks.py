from __future__ import annotations

from audited import beside_validation, without_retrain
from forged import forged

from mmulbench.audit.attacks import marks, path_attacks, shadow_attacks
from mmulbench.records.schema import Value
from mmulbench.report.floor import UNKNOWN_FLOOR, Floor, analytical_resolution

RECORD = forged({})


def attacks(changes):
    return {one.path: one for one in path_attacks(forged(changes), Floor())}


def test_every_path_has_the_numbers_of_the_record():
    found = attacks({})
    assert found.keys() == {"contrastive", "matching"}
    for path, own in found.items():
        value = RECORD.values[f"mia/{path}"]
        numbers = (value.value, value.low, value.high, value.retrain, value.original, value.n)
        assert (own.value, own.low, own.high, own.retrain, own.original, own.pairs) == numbers
        assert own.allowed == max(UNKNOWN_FLOOR, analytical_resolution(64))


def test_findings_are_those_of_the_verdict():
    found = attacks({"values.mia/contrastive.value": 0.9, "values.mia/matching.value": 0.1})
    assert (found["contrastive"].finding, found["matching"].finding) == ("still known", "over-forgotten")
    same = RECORD.values["mia/matching"].retrain
    assert attacks({"values.mia/matching.value": same})["matching"].finding == "like retrain"


def test_without_retrain_it_is_compared_with_a_toss_up():
    bare = without_retrain(RECORD)

    def finding(value, low, high):
        own = Value(value=value, n=9, direction="closest_to_retrain", low=low, high=high)
        one = bare.model_copy(update={"values": {"mia/matching": own}})
        (found,) = path_attacks(one, Floor())
        assert found.allowed is None
        return found.finding

    assert finding(0.7, 0.6, 0.8) == "above .5"
    assert finding(0.3, 0.2, 0.4) == "below .5"
    assert finding(0.52, 0.45, 0.6) == "cannot be told from .5"
    assert finding(0.7, None, None) == "not judged: no interval"
    assert finding(None, None, None) == "not known"


def test_without_retrain_it_is_compared_with_validation_data_where_they_were_attacked():
    found = {one.path: one for one in path_attacks(beside_validation(RECORD), Floor())}
    assert found["contrastive"].finding == "surer than of validation data"
    assert found["matching"].finding == "cannot be told from validation data"
    assert found["matching"].validation.value == 0.51 and found["matching"].against.value == 0.45
    low = RECORD.values["mia/matching"].model_copy(update={"value": 0.2, "low": 0.1, "high": 0.3})
    record = beside_validation(RECORD)
    less = record.model_copy(update={"values": {**record.values, "mia/matching/against_validation": low}})
    assert path_attacks(less, Floor())[1].finding == "less sure than of validation data"
    (mark, _) = marks([*found.values()])
    assert (mark.validation, mark.unseen_from, mark.unseen_to, mark.retrain) == (51, 46, 56, None)


def test_with_retrain_validation_data_say_nothing():
    record = beside_validation(RECORD)
    both = record.model_copy(update={"values": {**record.values, **RECORD.values}})
    assert path_attacks(both, Floor()) == path_attacks(RECORD, Floor())


def test_marks_lie_where_the_numbers_are_and_never_outside():
    found = marks(
        path_attacks(forged({"values.mia/matching.value": 7.0, "values.mia/matching.low": -1.0}), Floor())
    )
    own = {one.path: one for one in found}
    assert own["contrastive"].value == round(100 * RECORD.values["mia/contrastive"].value, 2)
    assert own["contrastive"].retrain == round(100 * RECORD.values["mia/contrastive"].retrain, 2)
    assert (own["matching"].value, own["matching"].low) == (100, 0)
    assert own["matching"].line > own["matching"].label > own["contrastive"].line
    assert marks(path_attacks(forged({"values.mia/matching.value": None}), Floor()))[0].path == "contrastive"


def test_attacks_by_shadow_models_are_told_where_they_were_made():
    assert shadow_attacks(RECORD) == []
    own = Value(value=0.7, n=64, direction="closest_to_retrain", chance=0.5)
    values = {**RECORD.values, "u_lira": own, "u_lira/matching": own, "u_lira/matching/test": own}
    (found,) = shadow_attacks(RECORD.model_copy(update={"values": values}))
    assert (found.title, found.path, found.value.value, found.chance) == ("U-LiRA AUC", "matching", 0.7, 0.5)


def test_an_attack_by_shadow_models_stands_beside_its_control():
    numbers = {"": 0.9, "/forget": 0.8, "/test": 0.7, "/difference": 0.1}
    own = {
        part: Value(value=number, n=64, direction="closest_to_retrain") for part, number in numbers.items()
    }
    values = {**RECORD.values, **{f"u_lira/matching{part}": value for part, value in own.items()}}
    (found,) = shadow_attacks(RECORD.model_copy(update={"values": values}))
    assert (found.value, found.control) == (own["/forget"], 0.7)
    headline = {**RECORD.values, "rmia/matching": own[""]}
    (found,) = shadow_attacks(RECORD.model_copy(update={"values": headline}))
    assert (found.value, found.control) == (own[""], None)
