from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged
from mmulbench.metrics.membership import P_FLOOR, MembershipAttacker, loss_attack, mi_ratio


def attack(members, nonmembers, per_unit=5):
    return loss_attack(
        members, np.arange(members.size) // per_unit, nonmembers, np.arange(nonmembers.size) // per_unit
    )


def test_identical_distributions_give_nothing_away():
    rng = np.random.default_rng(0)
    found = attack(rng.exponential(size=1500), rng.exponential(size=3000))
    assert found.accuracy == pytest.approx(0.5, abs=0.03)
    assert found.auc == pytest.approx(0.5, abs=0.03)
    assert found.advantage < 0.06
    assert (found.n, found.folds) == (4500, 5)


def test_memorised_members_are_found():
    rng = np.random.default_rng(1)
    found = attack(rng.normal(0, 0.1, 100), rng.normal(5, 0.1, 900))
    assert (found.accuracy, found.auc, found.advantage) == (1, 1, 1)


def test_over_forgetting_is_as_revealing_as_memory():
    rng = np.random.default_rng(2)
    found = attack(rng.normal(9, 0.1, 100), rng.normal(5, 0.1, 900))
    assert (found.accuracy, found.auc, found.advantage) == (1, 0, 1)


def test_constant_losses_give_nothing_away():
    found = attack(np.full(33, 0.1), np.full(70, 0.1))
    assert (found.accuracy, found.auc, found.advantage) == (0.5, 0.5, 0)


def test_accuracy_is_balanced_when_the_test_set_is_much_larger():
    rng = np.random.default_rng(3)
    found = attack(rng.normal(0, 1, 100), rng.normal(2, 1, 5000))
    # Two unit normals two apart: the midpoint threshold is right with probability Phi(1) on either side.
    assert found.accuracy == pytest.approx(0.841, abs=0.06)


def test_attack_is_deterministic_and_independent_of_pair_order():
    rng = np.random.default_rng(4)
    members, nonmembers = rng.normal(0, 1, 60), rng.normal(0.5, 1, 90)
    units, others = np.arange(60) // 4, np.arange(90) // 4
    found = loss_attack(members, units, nonmembers, others)
    assert loss_attack(members, units, nonmembers, others) == found
    order = rng.permutation(60)
    again = loss_attack(members[order], units[order], nonmembers, others)
    assert again.accuracy == pytest.approx(found.accuracy, abs=1e-12)


def test_whole_units_are_held_out():
    # Fitted on all four units the threshold is 4.5 and always right; on either half it is 2.5 or 6.5 and
    # misses one class of the other half: only an attacker who saw the held-out units does better than chance.
    members, nonmembers = np.repeat([0.0, 4.0], 20), np.repeat([5.0, 9.0], 20)
    found = loss_attack(members, np.repeat([0, 1], 20), nonmembers, np.repeat([0, 1], 20))
    leaking = loss_attack(members, np.arange(40), nonmembers, np.arange(40))
    assert (found.folds, found.accuracy) == (2, 0.5)
    assert leaking.accuracy == 1


def test_folds_shrink_with_the_units_and_one_unit_is_judged_in_sample():
    rng = np.random.default_rng(5)
    losses, units = rng.normal(size=30), np.arange(30) // 10
    members = np.array([-3.0, -2.5, -2.0, 2.0])
    assert loss_attack(members, np.arange(4), losses, units).folds == 3
    single = loss_attack(members, np.zeros(4, dtype=int), losses, units)
    assert single.folds == 1
    assert single.accuracy > 0.5


def test_attack_refuses_what_it_cannot_judge():
    losses, units = np.zeros(4), np.arange(4)
    with pytest.raises(ValueError, match="one unit per loss"):
        loss_attack(losses, units[:3], losses, units)
    with pytest.raises(Diverged, match="1 of 4 member losses"):
        loss_attack(np.array([0.0, 1.0, 2.0, np.inf]), units, losses, units)
    with pytest.raises(ValueError, match="non-member losses have shape"):
        loss_attack(losses, units, np.array([]), np.array([]))


def original_attacker():
    rng = np.random.default_rng(6)
    return MembershipAttacker.fit(rng.normal(0.5, 0.3, 4000), rng.normal(1.5, 0.3, 400))


def test_attacker_is_calibrated_for_equal_class_sizes():
    attacker = original_attacker()
    low, middle, high = attacker.p_member(np.array([0.5, 1.0, 1.5]))
    # Two normals with means 1 apart and deviation .3: log-odds of 1 / .09 per unit of loss, 0 half-way.
    assert attacker.slope == pytest.approx(-1 / 0.09, rel=0.15)
    assert middle == pytest.approx(0.5, abs=0.1)
    assert low > 0.98
    assert high < 0.02


def test_mi_ratio_is_one_for_an_unchanged_model_and_above_for_a_forgetting_one():
    attacker = original_attacker()
    before = np.random.default_rng(7).normal(0.5, 0.3, 200)
    assert mi_ratio(attacker, before, before) == 1
    assert 1 < mi_ratio(attacker, before, before + 0.5) < mi_ratio(attacker, before, before + 1)
    assert mi_ratio(attacker, before, before - 0.2) < 1


def test_mi_ratio_is_a_ratio_of_means():
    attacker = MembershipAttacker(slope=-1.0, intercept=0.0)
    before, after = np.array([0.0, 0.0]), np.array([0.0, 100.0])
    assert mi_ratio(attacker, before, after) == pytest.approx(0.5 / 0.25)


def test_mi_ratio_stays_finite_when_losses_explode():
    attacker = MembershipAttacker(slope=-1.0, intercept=0.0)
    assert mi_ratio(attacker, np.zeros(3), np.full(3, 1e6)) == pytest.approx(0.5 / P_FLOOR)


def test_mi_ratio_needs_the_same_pairs():
    with pytest.raises(ValueError, match="3 losses but the unlearned model 2"):
        mi_ratio(original_attacker(), np.zeros(3), np.zeros(2))
