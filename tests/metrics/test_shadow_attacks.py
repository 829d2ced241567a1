"""Attacks with shadow models, on populations that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mmulbench.core.metric import HEADLINE
from mmulbench.errors import Diverged
from mmulbench.metrics.separation import exact_auc
from mmulbench.metrics.shadow_attacks import lira, rates_given, rmia, u_lira

MODELS, PAIRS = 12, 200


def drawn(seed, mean=0.0, spread=1.0, pairs=PAIRS, models=MODELS):
    """Every pair has a level of its own, the same for every population; ``mean`` is added to those of Df."""
    rng = np.random.default_rng(seed)
    levels = np.random.default_rng(7).normal(scale=5.0, size=(2, pairs))
    forget, test = (level + rng.normal(scale=spread, size=(models, pairs)) for level in levels)
    return {"forget": forget + mean, "test": test}


def shifted(world, by):
    return {name: array + by for name, array in world.items()}


def auc(found, part=HEADLINE):
    return found[part].value


RETRAINED = drawn(1)
ORIGINALS = drawn(2, mean=3.0)

ATTACKS = {
    "u_lira": lambda unlearned: u_lira(unlearned, RETRAINED, intervals=False),
    "lira": lambda unlearned: lira(unlearned, RETRAINED, ORIGINALS, intervals=False),
    "rmia": lambda unlearned: rmia(unlearned, RETRAINED, ORIGINALS, intervals=False),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_models_like_retrain_are_not_told_apart(attack):
    found = ATTACKS[attack](drawn(3))
    assert auc(found) == pytest.approx(0.5, abs=0.03)
    assert auc(found, "tpr@1%") == pytest.approx(0.01, abs=0.01)
    assert found[HEADLINE].n == 2 * MODELS * PAIRS
    assert found["tpr@1%"].chance == 0.01


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_same_models_are_at_chance_exactly(attack):
    assert auc(ATTACKS[attack](RETRAINED)) == 0.5


def test_originals_are_told_apart_as_well_as_two_normals_can_be():
    # Two normals whose means are three spreads apart: the best possible AUC is Phi(3 / sqrt(2)).
    best = norm.cdf(3 / np.sqrt(2))
    for found in (lira(ORIGINALS, RETRAINED, drawn(4, mean=3.0)), u_lira(ORIGINALS, RETRAINED)):
        assert best - 0.01 < auc(found, "forget") < best + 0.005
        assert best - 0.01 < auc(found) < best + 0.01
        assert auc(found, "tpr@1%") == pytest.approx(norm.sf(norm.isf(0.01) - 3), abs=0.08)


def test_over_forgetting_is_seen_by_who_knows_of_unlearning():
    forgotten = drawn(5, mean=-3.0)
    assert auc(lira(forgotten, RETRAINED, ORIGINALS)) < 0.05
    assert auc(u_lira(forgotten, RETRAINED)) > 0.95


def test_a_threshold_for_every_pair_sees_what_one_for_all_does_not():
    # The level differs between pairs by five spreads, which drowns the difference in one ranking of all.
    unlearned = drawn(6, mean=1.5)
    assert exact_auc(RETRAINED["forget"].ravel(), unlearned["forget"].ravel()) < 0.62
    assert auc(u_lira(unlearned, RETRAINED)) > 0.83


def test_the_parts_are_the_attack_on_each_set_and_their_difference():
    unlearned = shifted(drawn(3, mean=0.5), 1.0)
    found = u_lira(unlearned, RETRAINED)
    on_test = [{"forget": world["test"], "test": world["test"]} for world in (unlearned, RETRAINED)]
    assert auc(found, "test") == auc(u_lira(*on_test), "forget")
    centred = [
        {"forget": world["forget"] - world["test"].mean(1, keepdims=True), "test": world["test"]}
        for world in (unlearned, RETRAINED)
    ]
    assert auc(found) == auc(u_lira(*centred), "forget")
    assert auc(found, "difference") == auc(found, "forget") - auc(found, "test")
    assert (found["difference"].chance, found["test"].chance) == (0.0, 0.5)


def test_the_target_is_no_part_of_what_is_known_of_its_world():
    # Three models are so few that each would find itself among those the attacker has fitted.
    seen = [
        auc(u_lira(drawn(seed, models=3, pairs=50), drawn(100 + seed, models=3, pairs=50)), "forget")
        for seed in range(200)
    ]
    assert np.mean(seen) == pytest.approx(0.5, abs=0.02)


def test_scores_are_log_ratios_of_two_normals_with_one_variance():
    rng = np.random.default_rng(3)
    worlds = [{"forget": rng.normal(size=(5, 7)), "test": np.zeros((5, 7))} for _ in range(3)]
    unlearned, retrained, originals = (world["forget"] for world in worlds)

    def score(target, row, pair):
        inside, outside = (np.delete(world, row, 0) for world in (originals, retrained))
        variances = [world.var(0, ddof=1).mean() for world in (inside, outside)]
        spread = np.sqrt(np.mean(variances))
        return norm.logpdf(target, inside[:, pair].mean(), spread) - norm.logpdf(
            target, outside[:, pair].mean(), spread
        )

    positive, negative = (
        np.array([score(world[row, pair], row, pair) for row in range(5) for pair in range(7)])
        for world in (unlearned, retrained)
    )
    assert auc(lira(*worlds)) == pytest.approx(exact_auc(negative, positive))


def test_few_models_share_one_spread_and_many_have_their_own():
    # Half of the pairs spread ten times as much, and give nothing away there.
    spread = np.repeat([0.3, 3.0], PAIRS // 2)
    few, many = (
        auc(
            u_lira(
                drawn(8, mean=0.6, spread=spread, models=models),
                drawn(9, spread=spread, models=models),
                intervals=False,
            ),
            "forget",
        )
        for models in (12, 100)
    )
    assert many > few + 0.05


def test_rmia_compares_with_test_pairs():
    # A model that is surer of everything has learned nothing about the forget set.
    surer = shifted(drawn(3), 2.0)
    same = auc(ATTACKS["rmia"](surer))
    assert same == pytest.approx(0.5, abs=0.1)
    assert auc(ATTACKS["rmia"]({**surer, "test": RETRAINED["test"]})) > same + 0.1


def test_on_test_pairs_rmia_says_nothing_whatever_the_model():
    on_test = [{"forget": world["test"], "test": world["test"]} for world in (ORIGINALS, RETRAINED)]
    wild = {"forget": 3 * on_test[0]["forget"] + 1, "test": 3 * on_test[0]["test"] + 1}
    assert auc(rmia(wild, on_test[1], on_test[0], intervals=False)) == pytest.approx(0.5)


def test_rmia_is_its_formula():
    rng = np.random.default_rng(4)
    names = ("unlearned", "retrained", "originals")
    models = {name: rng.normal(size=(4, 5)) for name in names}
    others = {name: rng.normal(size=(4, 6)) for name in names}

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
    worlds = [{"forget": models[name], "test": others[name]} for name in names]
    found = rmia(worlds[0], worlds[1], worlds[2])
    assert auc(found) == pytest.approx(exact_auc(scores["retrained"], scores["unlearned"]))


def test_as_likely_as_a_test_pair_is_likely_enough_for_rmia():
    # Retrained models find x exactly as likely as z, which counts; unlearned ones find z likelier.
    unlearned = {"forget": np.zeros((3, 1)), "test": np.ones((3, 1))}
    retrained, originals = ({name: np.full((3, 1), x) for name in unlearned} for x in (-1.0, 1.0))
    assert auc(rmia(unlearned, retrained, originals)) == 0.0


def test_rmia_by_hand():
    # p(x) is the mean of .5 and .25, and p(z) that of .5 and .5, whatever model is left out.
    half, zeros = np.zeros((3, 1)), np.zeros((3, 2))
    retrained = {"forget": np.full((3, 1), np.log(1 / 3)), "test": zeros}
    originals = {"forget": half, "test": zeros}
    # Unlearned: .5 / .375 is above 1 but below .9999 / .5: half of z. Retrained: .25 / .375 is below 1.
    assert auc(rmia({"forget": half, "test": np.full((3, 2), [0.0, 9.0])}, retrained, originals)) == 1.0
    assert auc(rmia({"forget": half, "test": np.full((3, 2), 9.0)}, retrained, originals)) == 0.5


@pytest.mark.parametrize("attack", ATTACKS)
def test_rates_of_fewer_than_ten_false_positives_are_left_out(attack):
    assert (rates_given(999), rates_given(1000), rates_given(10_000)) == ([], [0.01], [0.01, 0.001])
    assert not any(part.startswith("tpr") for part in u_lira(drawn(1, pairs=83), drawn(2, pairs=83)))
    assert {part for part in ATTACKS[attack](drawn(3)) if "tpr" in part} == {"tpr@1%"}


def test_a_rate_is_the_share_found_above_the_threshold_that_it_allows():
    # A thousand retrained models are sure of one pair by 0 to .999; ten of them may lie above the threshold.
    levels = np.arange(1000.0)[:, None] / 1000
    retrained = {"forget": levels, "test": np.zeros((1000, 1))}
    unlearned = {"forget": levels + 0.5, "test": np.zeros((1000, 1))}
    found = u_lira(unlearned, retrained, intervals=False)
    # The eleventh highest is at .989; of the unlearned models, at .5 to 1.499, .99 to 1.499 are above it.
    assert auc(found, "tpr@1%") == pytest.approx(0.51, abs=0.002)


@pytest.mark.parametrize("attack", [u_lira, lira, rmia])
def test_what_does_not_fit_is_refused(attack):
    worlds = 2 if attack is u_lira else 3
    few = [drawn(seed, models=2) for seed in range(worlds)]
    with pytest.raises(ValueError, match="k at least 3"):
        attack(*few)
    for name in ("forget", "test"):
        unlike = [*(drawn(seed) for seed in range(worlds - 1)), {**RETRAINED, name: np.zeros((MODELS, 3))}]
        with pytest.raises(ValueError, match="of the same k models"):
            attack(*unlike)
        broken = [
            *(drawn(seed) for seed in range(worlds - 1)),
            {**RETRAINED, name: np.full((12, 200), np.nan)},
        ]
        with pytest.raises(Diverged, match="NaN"):
            attack(*broken)
