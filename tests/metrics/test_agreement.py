from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged
from mmulbench.metrics.agreement import agreement
from mmulbench.metrics.separation import exact_auc


def loss_of(confidence):
    return np.logaddexp(0, -confidence)


CONFIDENCE = np.random.default_rng(0).normal(1, 2, 400)


def test_retrain_agrees_with_itself():
    found = agreement(loss_of(CONFIDENCE), loss_of(CONFIDENCE))
    assert found.correlation == pytest.approx(1.0)
    assert (found.residual_sd, found.n) == (0.0, 400)


def test_a_shift_of_all_pairs_is_no_disagreement_about_any():
    found = agreement(loss_of(CONFIDENCE - 3), loss_of(CONFIDENCE))
    assert found.correlation == pytest.approx(1.0)
    assert found.residual_sd == pytest.approx(0.0, abs=1e-9)


def test_noise_lowers_the_correlation_and_is_the_residual():
    noise = np.random.default_rng(1).normal(size=400)
    found = [agreement(loss_of(CONFIDENCE + level * noise), loss_of(CONFIDENCE)) for level in (0, 1, 4)]
    assert np.diff([one.correlation for one in found]).max() < 0
    assert [one.residual_sd for one in found] == pytest.approx([0, noise.std(), 4 * noise.std()], abs=1e-9)


def test_the_right_distribution_in_the_wrong_order_is_found_out():
    """The loss attack sees nothing: the losses are retrain's own, of other pairs."""
    mixed = np.random.default_rng(2).permutation(CONFIDENCE)
    assert exact_auc(mixed, CONFIDENCE) == pytest.approx(0.5)
    found = agreement(loss_of(mixed), loss_of(CONFIDENCE))
    assert abs(found.correlation) < 0.15
    assert found.residual_sd == pytest.approx(np.sqrt(2) * CONFIDENCE.std(), rel=0.1)


def test_a_model_that_says_the_same_of_all_pairs_agrees_in_nothing():
    found = agreement(np.full(400, 0.5), loss_of(CONFIDENCE))
    assert found.correlation == 0.0
    assert found.residual_sd == pytest.approx(CONFIDENCE.std())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="3 losses but 2 of retrain"):
        agreement(np.ones(3), np.ones(2))
    with pytest.raises(Diverged, match="1 of 2 losses of retrain"):
        agreement(np.ones(2), np.array([1.0, np.nan]))
