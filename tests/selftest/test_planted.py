"""Planted models are what their description says."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.core.metric import HEADLINE, SETS
from mmulbench.selftest import planted
from mmulbench.selftest.planted import (
    KNOWN,
    MODELS,
    ORIGINAL,
    PLANTED,
    RETRAIN,
    RUN,
    SEEDS,
    SHADOWS,
    again,
    measurements,
    population,
)

SEED = SEEDS[0]
BY_NAME = {one.name: one for one in PLANTED}


def sure(model, path="contrastive", name="forget", seed=SEED):
    return measurements(model, seed).scores[path][name]


def test_a_model_is_measured_as_a_real_one_is():
    measured, units = measurements(BY_NAME["shifted"], SEED), RUN.of_pairs()
    for path in KNOWN:
        for name in SETS:
            assert measured.losses[path][name].shape == measured.scores[path][name].shape == units[name].shape
            confidence = -np.log(np.expm1(measured.losses[path][name]))
            assert confidence == pytest.approx(measured.scores[path][name], abs=1e-6)
        assert "unrelated" in measured.scores[path]
    assert measured.unit_utility is not None and len(measured.unit_utility) == RUN.units["forget"]
    assert measured.unit_utility.mean() == pytest.approx(measured.utility["forget"][HEADLINE].value)


def test_retrain_itself_is_retrain_and_untouched_is_the_original():
    for name, reference in (("retrain_itself", RETRAIN), ("untouched", ORIGINAL)):
        for path in KNOWN:
            assert np.array_equal(sure(BY_NAME[name], path), sure(reference, path))


def test_another_retrain_is_another_draw_with_the_same_hard_pairs():
    own, other = sure(BY_NAME["perfect_retrain"]), sure(RETRAIN)
    assert 0.85 < np.corrcoef(own, other)[0, 1] < 0.99
    assert not np.array_equal(sure(again(1)), sure(again(2)))
    assert abs(np.corrcoef(own, sure(RETRAIN, seed=SEEDS[1]))[0, 1]) < 0.3


def test_confidence_has_heavy_tails():
    own = sure(RETRAIN, name="test")
    assert ((own - own.mean()) ** 4).mean() / own.var() ** 2 > 3.3


def difference(name, path="contrastive", pairs="forget"):
    return float((sure(BY_NAME[name], path, pairs) - sure(RETRAIN, path, pairs)).mean())


def test_models_differ_from_retrain_as_they_say():
    assert difference("still_known") == pytest.approx(KNOWN["contrastive"] / 2, abs=0.3)
    assert difference("over_forgotten") == pytest.approx(-KNOWN["contrastive"] / 2, abs=0.3)
    assert difference("one_path") == pytest.approx(KNOWN["contrastive"], abs=0.3)
    assert difference("one_path", "matching") == pytest.approx(0.0, abs=0.3)
    assert difference("tenth_memorised") == pytest.approx(KNOWN["contrastive"] / 10, abs=0.3)
    for pairs in (*SETS, "unrelated"):
        assert difference("shifted", pairs=pairs) == pytest.approx(-2.0, abs=0.3)
    assert difference("lost_utility", pairs="unrelated") == pytest.approx(0.0, abs=0.3)


def test_a_memorised_tenth_is_a_tenth_of_the_units():
    by_pair = sure(BY_NAME["tenth_memorised"]) - sure(RETRAIN)
    by_unit = by_pair.reshape(-1, RUN.pairs).mean(1)
    assert np.count_nonzero(by_unit > KNOWN["contrastive"] / 2) == round(0.1 * RUN.units["forget"])


def test_a_random_model_has_the_utility_of_chance():
    for estimate in measurements(BY_NAME["random"], SEED).utility["test"].values():
        assert estimate.value == pytest.approx(estimate.chance, abs=0.04)


def test_populations_hold_so_many_models_of_each_kind():
    models = population(BY_NAME["retrain_itself"], SEED)
    units = SHADOWS.of_pairs()
    for world in (models.unlearned, models.originals, models.retrained, models.retrained_again):
        for path in KNOWN:
            assert {name: one.shape for name, one in world[path].items()} == {
                name: (MODELS, len(units[name])) for name in SETS
            }
    assert np.array_equal(models.unlearned["matching"]["forget"], models.retrained["matching"]["forget"])
    assert not np.array_equal(
        models.retrained_again["matching"]["forget"], models.retrained["matching"]["forget"]
    )


def test_the_same_draw_is_the_same_model_whatever_was_drawn_before():
    first = measurements(planted.RETRAIN, SEED)
    population(PLANTED[0], SEED)
    assert np.array_equal(
        first.losses["matching"]["test"], measurements(RETRAIN, SEED).losses["matching"]["test"]
    )
