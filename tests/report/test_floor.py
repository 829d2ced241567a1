"""What a run's verdict is held against, from planted records."""

from __future__ import annotations

import numpy as np
import pytest
from planted_results import Planted, World

from mmulbench.report.floor import UNKNOWN_FLOOR, Floor, analytical_resolution

RECORDS = World().records({"mmul": Planted({"mia/matching": 0.2}), "original": Planted()}, draws=4)


def the(method, seed=42):
    return next(one for one in RECORDS if one.spec.method == method and one.spec.seed == seed)


def test_noise_is_what_the_spread_of_all_draws_allows_two_retrains_to_differ_by():
    floor = Floor.of(the("mmul"), RECORDS)
    squares = []
    for seed in (21, 42, 87):
        models = [one for one in RECORDS if one.spec.method == "retrain_again" and one.spec.seed == seed]
        found = [one.values["mia/matching"] for one in models]
        values = [found[0].retrain or 0.0, *(one.value or 0.0 for one in found)]
        squares.append(np.var(values, ddof=1))
    # 12 degrees of freedom, 5 % in two tails of two paths
    assert floor.noise("matching") == pytest.approx(2.5600 * np.sqrt(2 * np.mean(squares)), rel=1e-3)
    assert floor.draws == {"contrastive": 12, "matching": 12}
    assert floor.is_known("matching")


def test_the_references_are_those_of_the_run_s_own_seed():
    floor = Floor.of(the("mmul", 87), RECORDS)
    assert floor.retrain == the("retrain", 87)
    assert floor.original == the("original", 87)


def test_records_of_other_tables_do_not_count():
    others = World(units=69).records({})
    assert Floor.of(the("mmul"), others) == Floor()
    assert Floor.of(the("mmul"), [*others, *RECORDS]) == Floor.of(the("mmul"), RECORDS)


def test_few_draws_do_not_lower_the_noise_below_what_is_taken_without_any():
    few = [one for one in RECORDS if one.spec.seed == 42 and one.spec.config.get("draw", 1) <= 2]
    floor = Floor.of(the("mmul"), few)
    assert not floor.is_known("matching")
    assert floor.noise("matching") >= Floor().noise("matching") == UNKNOWN_FLOOR
    assert Floor({"matching": 0.2}, {"matching": 1}).noise("matching") == 0.2
    assert Floor({"matching": 0.02}, {"matching": 1}).noise("matching") == UNKNOWN_FLOOR


def test_units_are_compared_in_pairs_where_both_records_have_them():
    # Planted: .05 of each unit besides what it shares with retrain, 68 units.
    found = the("mmul")
    resolved = Floor.of(found, RECORDS).resolution(found, "matching")
    assert resolved == pytest.approx(1.96 * 0.05 / np.sqrt(68), rel=0.3)
    bare = found.model_copy(update={"by_unit": {}})
    assert Floor.of(bare, RECORDS).resolution(bare, "matching") == analytical_resolution(68)
    assert Floor().resolution(found, "matching") == analytical_resolution(68)


def test_two_standard_errors_of_an_auc_of_nothing():
    rng = np.random.default_rng(0)
    forget, test = rng.normal(size=(2000, 50)), rng.normal(size=(2000, 50))
    aucs = (forget[:, :, None] > test[:, None, :]).mean(axis=(1, 2))
    assert analytical_resolution(50) == pytest.approx(2 * aucs.std(), rel=0.05)


@pytest.mark.parametrize("draws", [1, 5])
def test_an_honest_retrain_is_seldom_beyond_the_floor(draws):
    """On both paths of 40 worlds; with the largest of 3 draws two in three were."""
    beyond = 0
    for seed in range(40):
        records = World(seed=seed).records({"mmul": Planted(unit=0.02)}, draws=draws)
        run = next(one for one in records if one.spec.method == "mmul")
        floor = Floor.of(run, records)
        values = {path: run.values[f"mia/{path}"] for path in ("contrastive", "matching")}
        beyond += any(abs(one.value - one.retrain) > floor.noise(path) for path, one in values.items())
    assert beyond <= 6
