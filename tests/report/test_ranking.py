"""What the ranking says of planted methods, of which the truth is known."""

from __future__ import annotations

import pytest
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.noise_floor import NoiseFloor
from mmulbench.report.ranking import rank

GAP = "retrain_gap"
KEYS = (GAP, "forget", "mia/matching")


def ranked(records, keys=KEYS):
    (group,) = group_records(records)
    return rank(group, keys)


@pytest.mark.parametrize("shifts", [{}, {"forget": 0.3, "mia/matching": 0.2}], ids=["near", "far"])
def test_identical_methods_are_not_told_apart(shifts):
    methods = {name: Planted(shifts) for name in "abcde"}
    found = [ranked(World(seed=seed).records(methods)).best for seed in range(20)]
    for key in KEYS:
        assert sum(len(best[key]) == len(methods) for best in found) >= 18, key


def test_a_difference_of_five_floors_is_told():
    floor = 0.0115  # of the planted gap, on the mean
    methods = {"near": Planted(), "far": Planted({"forget": 4 * 5 * floor})}
    for seed in range(5):
        records = World(seed=seed).records(methods)
        assert NoiseFloor.of(group_records(records)[0], GAP).mean == pytest.approx(floor, rel=0.6)
        assert ranked(records).best[GAP] == {"near"}


def test_the_truth_about_planted_models():
    planted = {
        "perfect": Planted(),
        "untouched": Planted({"forget": 0.3, "mia/matching": 0.25, "mia/contrastive": 0.3}),
        "over": Planted({"mia/matching": -0.25, "mia/contrastive": -0.25}),
        "one_path": Planted({"mia/contrastive": 0.25}),
        "shifted": Planted({"test": -0.1, "retain": -0.1}),
        "broken": Planted({"test": -0.4, "retain": -0.7}),
    }
    ranking = ranked(World().records(planted))
    assert ranking.best[GAP] == {"perfect"}
    assert "one_path" in ranking.best["mia/matching"]
    assert not {"untouched", "over"} & ranking.best["mia/matching"]
    assert set(ranking.out) == {"shifted", "broken"}
    assert ranking.out["broken"].startswith("test −4")


def test_a_method_with_less_utility_does_not_compete_and_one_with_more_does():
    methods = {"less": Planted({"retain": -0.06}), "more": Planted({"retain": 0.06}), "same": Planted()}
    ranking = ranked(World().records(methods))
    assert set(ranking.out) == {"less"}
    assert ranking.best["forget"] == {"more", "same"}


def test_units_that_disagree_make_a_difference_unsure():
    # The same shift of .1, on all units alike or with a spread of 2 between units.
    sure = {"near": Planted(), "far": Planted({"forget": 0.1})}
    unsure = {"near": Planted(), "far": Planted({"forget": 0.1}, unit=2.0)}
    counts = [
        sum(ranked(World(seed=seed).records(methods)).best["forget"] == {"near"} for seed in range(10))
        for methods in (sure, unsure)
    ]
    assert counts[0] == 10
    assert counts[1] <= 5


def test_an_incomplete_row_and_references_do_not_compete():
    records = World().records({"a": Planted(), "b": Planted(), "original": Planted()})
    part = [one for one in records if (one.spec.method, one.spec.seed) != ("b", 42)]
    assert ranked(records).best[GAP] == {"a", "b"}
    assert "fewer than two rows" in ranked(part).why_not


def without(records, **fields):
    return [one.model_copy(update=fields) if one.spec.method == "retrain" else one for one in records]


def test_what_makes_a_ranking_impossible_is_said():
    methods = {"a": Planted(), "b": Planted({"forget": 0.4})}
    whole = World().records(methods)
    assert ranked(whole).best[GAP] == {"a"}
    for reason, records in {
        "49 forget units are too few, it takes 50": World(units=49).records(methods),
        "2 seeds are too few, it takes 3": World(seeds=(1, 2)).records(methods),
        "takes 3 records of `retrain_again`, and there are 0": World().records(methods, draws=0),
        "every row lost utility": World().records({name: Planted({"retain": -0.2}) for name in "ab"}),
        "`retrain` has no record for every seed": [one for one in whole if one.spec.method != "retrain"],
        "`retrain`'s records have no numbers for each forget unit": without(whole, by_unit={}),
    }.items():
        found = ranked(records)
        assert reason in found.why_not
        assert not found.best


def test_retrain_without_attacks_by_unit_ranks_no_gap():
    methods = {"a": Planted(), "b": Planted({"forget": 0.4})}
    by_unit = {"pairs": [3.0] * 68, "forget": [0.5] * 68}
    found = ranked(without(World().records(methods), by_unit=by_unit))
    assert not found.best.get(GAP)
    assert found.best["forget"]
