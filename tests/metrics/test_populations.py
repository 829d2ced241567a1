"""Attacks and distances between populations of models, on populations that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mmulbench.errors import Diverged
from mmulbench.metrics.populations import CLIP, confidence, klom, klom_of_chance, lira, rmia, u_lira

MODELS, PAIRS = 12, 200


def drawn(seed, mean=0.0, spread=1.0, pairs=PAIRS, models=MODELS):
    """Every pair has a level of its own, the same for every population; ``mean`` is added to it."""
    level = np.random.default_rng(7).normal(scale=5.0, size=pairs)
    return level + mean + np.random.default_rng(seed).normal(scale=spread, size=(models, pairs))


RETRAINED = drawn(1)
ORIGINALS = drawn(2, mean=3.0)
Z = {"unlearned": drawn(11), "retrained": drawn(12), "originals": drawn(13)}


def z_of(unlearned):
    return {**Z, "unlearned": unlearned}


ATTACKS = {
    "u_lira": lambda unlearned: u_lira(unlearned, RETRAINED),
    "lira": lambda unlearned: lira(unlearned, RETRAINED, ORIGINALS),
    "rmia": lambda unlearned: rmia(unlearned, RETRAINED, ORIGINALS, Z),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_models_like_retrain_are_not_told_apart(attack):
    found = ATTACKS[attack](drawn(3))
    assert found.auc == pytest.approx(0.5, abs=0.03)
    assert found.tpr[0.01] == pytest.approx(0.01, abs=0.01)
    assert found.n == 2 * MODELS * PAIRS


@pytest.mark.parametrize("attack", ["u_lira", "lira"])
def test_retrain_itself_is_at_chance_exactly(attack):
    assert ATTACKS[attack](RETRAINED).auc == 0.5


def test_rmia_of_retrain_itself_is_at_chance_exactly():
    others = {**Z, "unlearned": Z["retrained"]}
    assert rmia(RETRAINED, RETRAINED, ORIGINALS, others).auc == 0.5


def test_originals_are_told_apart_as_well_as_two_normals_can_be():
    # Two normals whose means are three spreads apart: the best possible AUC is Phi(3 / sqrt(2)).
    best = norm.cdf(3 / np.sqrt(2))
    for found in (lira(ORIGINALS, RETRAINED, drawn(4, mean=3.0)), u_lira(ORIGINALS, RETRAINED)):
        assert best - 0.01 < found.auc < best + 0.005
        assert found.tpr[0.01] == pytest.approx(norm.sf(norm.isf(0.01) - 3), abs=0.08)


def test_over_forgetting_is_seen_by_who_knows_of_unlearning():
    forgotten = drawn(5, mean=-3.0)
    assert lira(forgotten, RETRAINED, ORIGINALS).auc < 0.05
    assert u_lira(forgotten, RETRAINED).auc > 0.95


def test_a_threshold_for_every_pair_sees_what_one_for_all_does_not():
    # The level differs between pairs by five spreads, which drowns the difference in one ranking of all.
    unlearned = drawn(6, mean=1.5)
    pooled = (unlearned.ravel()[:, None] > RETRAINED.ravel()[:500]).mean()
    assert pooled < 0.62
    assert u_lira(unlearned, RETRAINED).auc > 0.83


def test_the_target_is_no_part_of_what_is_known_of_its_world():
    # Three models are so few that each would find itself among those the attacker has fitted.
    seen = [
        u_lira(drawn(seed, models=3, pairs=50), drawn(100 + seed, models=3, pairs=50)).auc
        for seed in range(200)
    ]
    assert np.mean(seen) == pytest.approx(0.5, abs=0.02)


def test_few_models_share_one_spread_and_many_have_their_own():
    # Half of the pairs spread ten times as much, and give nothing away there.
    spread = np.repeat([0.3, 3.0], PAIRS // 2)
    few, many = (
        u_lira(drawn(8, mean=0.6, spread=spread, models=models), drawn(9, spread=spread, models=models)).auc
        for models in (12, 100)
    )
    assert many > few + 0.05


def test_rmia_compares_with_test_pairs():
    # A model that is surer of everything has learned nothing about the forget set.
    surer = drawn(3, mean=2.0)
    same = rmia(surer, RETRAINED, ORIGINALS, z_of(drawn(11, mean=2.0)))
    assert same.auc == pytest.approx(0.5, abs=0.1)
    assert rmia(surer, RETRAINED, ORIGINALS, Z).auc > same.auc + 0.1


def test_rmia_is_its_formula():
    rng = np.random.default_rng(4)
    models = {name: rng.normal(size=(4, 5)) for name in Z}
    others = {name: rng.normal(size=(4, 6)) for name in Z}

    def p(confidences):
        return 1 / (1 + np.exp(-confidences))

    def score(kind, row, x):
        rest = [other for other in range(4) if other != row]

        def beside(source, column):
            inside, outside = (
                np.mean([p(source[world][other, column]) for other in rest])
                for world in ("originals", "retrained")
            )
            return p(source[kind][row, column]) / ((inside + outside) / 2)

        return np.mean([beside(models, x) / beside(others, z) > 1.0 for z in range(6)])

    scores = {
        kind: np.array([score(kind, row, x) for row in range(4) for x in range(5)])
        for kind in ("unlearned", "retrained")
    }
    above = scores["unlearned"][:, None] - scores["retrained"]
    found = rmia(models["unlearned"], models["retrained"], models["originals"], others)
    assert found.auc == pytest.approx((above > 0).mean() + (above == 0).mean() / 2)


def test_as_likely_as_a_test_pair_is_likely_enough_for_rmia():
    # Retrained models find x exactly as likely as z, which counts; unlearned ones find z likelier.
    worlds = {"unlearned": np.zeros((3, 1)), "retrained": np.full((3, 1), -1.0), "originals": np.ones((3, 1))}
    others = {**worlds, "unlearned": worlds["unlearned"] + 1.0}
    assert rmia(worlds["unlearned"], worlds["retrained"], worlds["originals"], others).auc == 0.0


def test_rmia_by_hand():
    # p(x) is the mean of .5 and .25, and p(z) that of .5 and .5, whatever model is left out.
    half, quarter = np.zeros((3, 1)), np.full((3, 1), np.log(1 / 3))
    others = {
        "unlearned": np.full((3, 2), [0.0, 9.0]),
        "retrained": np.zeros((3, 2)),
        "originals": np.zeros((3, 2)),
    }
    found = rmia(half, quarter, half, others)
    # Unlearned: .5 / .375 is above 1 but below .9999 / .5: half of z. Retrained: .25 / .375 is below 1.
    assert found.auc == 1.0
    others["unlearned"] = np.full((3, 2), 9.0)
    assert rmia(half, quarter, half, others).auc == 0.5


def test_rates_below_one_false_positive_are_left_out():
    assert set(u_lira(drawn(1, pairs=8), drawn(2, pairs=8)).tpr) == set()  # 96 non-members
    assert set(u_lira(drawn(1, pairs=9), drawn(2, pairs=9)).tpr) == {0.01}
    assert set(u_lira(drawn(1, pairs=84), drawn(2, pairs=84)).tpr) == {0.01, 0.001}


def test_klom_by_hand():
    # Twenty bins from 0 to 20: in the first are three of four unlearned models and two of four retrains.
    unlearned = np.array([[0.0], [0.0], [0.5], [20.0]])
    retrained = np.array([[0.0], [0.5], [20.0], [7.0]])
    (found,) = klom(unlearned, retrained)
    assert found == pytest.approx(0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.25))
    apart = klom(np.zeros((4, 1)), np.ones((4, 1)))
    assert apart == pytest.approx([np.log(1 / 1e-5)])


def test_klom_of_equal_models_is_nothing():
    assert klom(RETRAINED, RETRAINED) == pytest.approx(np.zeros(PAIRS))
    assert klom(np.ones((3, 2)), np.ones((3, 2))) == pytest.approx([0.0, 0.0])


def test_klom_beyond_the_clip_is_one_bin():
    far = np.full((4, 1), 5 * CLIP)
    assert klom(far, far * 2) == pytest.approx([0.0])


def test_klom_of_few_models_is_that_of_chance_where_both_are_alike_and_more_where_not():
    alike, chance = klom(drawn(3), RETRAINED).mean(), klom_of_chance(drawn(3), RETRAINED, 0)
    assert chance > 1.0  # twelve models in twenty bins
    assert alike == pytest.approx(chance, rel=0.1)
    assert klom(ORIGINALS, RETRAINED).mean() > 1.5 * klom_of_chance(ORIGINALS, RETRAINED, 0)


def test_confidence_is_the_logit_of_the_probability_that_the_loss_stands_for():
    logits = np.array([-30.0, -2.0, 0.0, 3.0, 40.0])
    assert confidence(np.logaddexp(0.0, -logits)) == pytest.approx(logits)
    assert confidence(np.array([0.0, 1e4])).tolist() == [CLIP, -CLIP]


@pytest.mark.parametrize("models", [1, 2])
def test_too_few_models_are_refused(models):
    few = drawn(1, models=models)
    for measure in (u_lira, klom):
        with pytest.raises(ValueError, match="k at least 3"):
            measure(few, few)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="of the same k models"):
        u_lira(drawn(1), drawn(2, pairs=3))


def test_nan_is_divergence():
    broken = drawn(1)
    broken[2, 3] = np.nan
    for measure in (lambda: u_lira(broken, RETRAINED), lambda: klom(RETRAINED, broken)):
        with pytest.raises(Diverged, match="NaN"):
            measure()
