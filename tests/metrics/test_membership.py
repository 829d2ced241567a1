from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmulbench.errors import Diverged
from mmulbench.metrics.membership import P_FLOOR, IntervalRule, MembershipAttacker, loss_attack, mi_ratio


def attack(members, nonmembers, per_unit=5):
    return loss_attack(
        members,
        np.arange(members.size) // per_unit,
        nonmembers,
        np.arange(nonmembers.size) // per_unit,
        seed=0,
    )


def loss_of(confidence):
    """The loss -log p of pairs whose log(p / (1 - p)) is given."""
    return np.logaddexp(0, -confidence)


def test_identical_distributions_give_nothing_away():
    rng = np.random.default_rng(0)
    found = attack(rng.exponential(size=1500), rng.exponential(size=3000))
    assert found.accuracy == pytest.approx(0.5, abs=0.03)
    assert found.auc.value == pytest.approx(0.5, abs=0.03)
    assert found.auc.low < 0.5 < found.auc.high
    assert found.advantage < 0.06
    assert (found.n, found.folds) == (4500, 5)


def test_memorised_members_are_found():
    rng = np.random.default_rng(1)
    found = attack(rng.normal(1, 0.1, 100), rng.normal(5, 0.1, 900))
    assert (found.accuracy, found.auc.value, found.advantage) == (1, 1, 1)


def test_over_forgetting_is_as_revealing_as_memory():
    rng = np.random.default_rng(2)
    found = attack(rng.normal(9, 0.1, 100), rng.normal(5, 0.1, 900))
    assert (found.accuracy, found.auc.value, found.advantage) == (1, 0, 1)


def test_constant_losses_give_nothing_away():
    found = attack(np.full(33, 0.1), np.full(70, 0.1))
    assert (found.accuracy, found.auc.value, found.advantage) == (0.5, 0.5, 0)


def test_accuracy_is_balanced_when_the_test_set_is_much_larger():
    rng = np.random.default_rng(3)
    found = attack(loss_of(rng.normal(2, 1, 100)), loss_of(rng.normal(0, 1, 5000)))
    # Two unit normals two apart: the midpoint threshold is right with probability Phi(1) on either side.
    assert found.accuracy == pytest.approx(0.841, abs=0.06)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_a_shift_of_confidence_shows_as_much_in_either_direction(shift):
    rng = np.random.default_rng(8)
    units = np.repeat(rng.normal(size=68 + 169), 9)
    confidence = units + rng.normal(size=units.size)
    members, nonmembers = confidence[: 68 * 9], loss_of(confidence[68 * 9 :])
    same, up, down = (attack(loss_of(members + by), nonmembers, 9) for by in (0, shift, -shift))
    assert up.auc.value - same.auc.value == pytest.approx(same.auc.value - down.auc.value, abs=0.03)
    assert up.accuracy == pytest.approx(down.accuracy, abs=0.05)
    assert min(up.accuracy, down.accuracy) > same.accuracy + 0.05 * shift


def bimodal(rng, units, shift):
    """Losses of pairs of which most are confidently right, the others confidently wrong."""
    right = rng.random(units * 9) < 0.7
    high, low = (rng.normal(mode, sd, units * 9) for mode, sd in ((5 + shift, 1.9), (-4, 3)))
    return loss_of(np.where(right, high, low))


def test_a_lowered_mode_is_seen_beside_a_heavy_tail():
    """A regression on the raw loss, the attack of version 1, finds nothing here: .48."""
    rng = np.random.default_rng(1)
    members, nonmembers = bimodal(rng, 68, -2), bimodal(rng, 169, 0)
    found = attack(members, nonmembers, 9)
    assert found.auc.value == pytest.approx(0.37, abs=0.02)
    assert found.auc.high < 0.41
    assert found.accuracy > 0.6
    regression = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    losses, labels = np.concatenate([members, nonmembers]), np.repeat([1, 0], [members.size, nonmembers.size])
    by_raw_loss = cross_val_score(regression, losses[:, None], labels, scoring="balanced_accuracy")
    assert by_raw_loss.mean() < 0.5


def test_members_between_two_modes_are_found():
    """No threshold alone tells them: neither as sure nor as wrong as test pairs, or both of it."""
    rng = np.random.default_rng(10)
    middle, outer = rng.normal(0, 0.3, 300), rng.choice([-3, 3], 300) + rng.normal(0, 0.3, 300)
    for members, nonmembers in ((middle, outer), (outer, middle)):
        found = attack(loss_of(members), loss_of(nonmembers))
        assert found.auc.value == pytest.approx(0.5, abs=0.1)
        assert found.accuracy > 0.98


def test_no_rule_is_better_than_the_one_that_is_found():
    rng = np.random.default_rng(11)
    for _ in range(20):
        members, nonmembers = rng.integers(0, 6, 7).astype(float), rng.integers(0, 6, 11).astype(float)
        ends = np.arange(-0.5, 7)
        rules = [IntervalRule(a, b, inside) for a in ends for b in ends for inside in (True, False)]
        best = max(rule.accuracy(members, nonmembers) for rule in rules)
        found = IntervalRule.fit(members, nonmembers)
        assert found.accuracy(members, nonmembers) == pytest.approx(best)
        assert IntervalRule.fit(rng.permutation(members), rng.permutation(nonmembers)) == found


def test_attack_is_deterministic_and_independent_of_pair_order():
    rng = np.random.default_rng(4)
    members, nonmembers = loss_of(rng.normal(2, 1, 60)), loss_of(rng.normal(2.5, 1, 90))
    units, others = np.arange(60) // 4, np.arange(90) // 4
    found = loss_attack(members, units, nonmembers, others, seed=0)
    assert loss_attack(members, units, nonmembers, others, seed=0) == found
    order = rng.permutation(60)
    again = loss_attack(members[order], units[order], nonmembers, others, seed=0)
    assert again.accuracy == found.accuracy
    assert (again.auc.low, again.auc.high) == pytest.approx((found.auc.low, found.auc.high))


def test_whole_units_are_held_out():
    # Fitted on all four units the threshold is 4.5 and always right; on either half it is 2.5 or 6.5 and
    # misses one class of the other half: only an attacker who saw the held-out units does better than chance.
    members, nonmembers = np.repeat([0.0, 4.0], 20), np.repeat([5.0, 9.0], 20)
    found = loss_attack(members, np.repeat([0, 1], 20), nonmembers, np.repeat([0, 1], 20), seed=0)
    leaking = loss_attack(members, np.arange(40), nonmembers, np.arange(40), seed=0)
    assert (found.folds, found.accuracy) == (2, 0.5)
    assert leaking.accuracy == 1


def test_folds_shrink_with_the_units_and_one_unit_is_judged_in_sample():
    rng = np.random.default_rng(5)
    losses, units = rng.exponential(size=30), np.arange(30) // 10
    members = np.array([0.1, 0.2, 0.3, 2.0])
    assert loss_attack(members, np.arange(4), losses, units, seed=0).folds == 3
    single = loss_attack(members, np.zeros(4, dtype=int), losses, units, seed=0)
    assert single.folds == 1
    assert single.accuracy > 0.5


def test_attack_refuses_what_it_cannot_judge():
    losses, units = np.zeros(4), np.arange(4)
    with pytest.raises(ValueError, match="one unit per loss"):
        loss_attack(losses, units[:3], losses, units, seed=0)
    with pytest.raises(Diverged, match="1 of 4 member losses"):
        loss_attack(np.array([0.0, 1.0, 2.0, np.inf]), units, losses, units, seed=0)
    with pytest.raises(ValueError, match="2 losses are below 0"):
        loss_attack(np.array([0.0, 1.0, -2.0, -0.1]), units, losses, units, seed=0)
    with pytest.raises(ValueError, match="non-member losses have shape"):
        loss_attack(losses, units, np.array([]), np.array([]), seed=0)


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
