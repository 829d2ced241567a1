from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged, NotApplicable
from mmulbench.metrics.unimodal import linear_cka, probe_r2

ITEMS, DIMENSIONS = 169, 128
BOTH = pytest.mark.parametrize("measure", [linear_cka, probe_r2])


@pytest.fixture
def features():
    """Outputs of which a few directions have most of the variance, as those of encoders."""
    return np.random.default_rng(0).normal(size=(ITEMS, DIMENSIONS)) / np.arange(1, DIMENSIONS + 1) ** 0.7


def brute_force_cka(x, y):
    """Unbiased HSIC by its formula, with the (n, n) kernels."""

    def hsic(*kernels):
        a, b = (kernel - np.diag(np.diag(kernel)) for kernel in kernels)
        n = len(a)
        return np.trace(a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * (a @ b).sum() / (n - 2)

    kernels = x @ x.T, y @ y.T
    own = np.sqrt(hsic(kernels[0], kernels[0]) * hsic(kernels[1], kernels[1]))
    return hsic(*kernels) / own


def test_cka_is_what_its_formula_says(features):
    other = features + np.random.default_rng(1).normal(size=features.shape) + 3
    assert linear_cka(features, other) == pytest.approx(brute_force_cka(features, other), abs=1e-6)


@BOTH
def test_the_original_keeps_everything(measure, features):
    assert measure(features, features) == pytest.approx(1.0, abs=1e-6)


@BOTH
def test_rotation_scaling_and_shift_lose_nothing(measure, features):
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(DIMENSIONS, DIMENSIONS)))
    assert measure(5 * features @ rotation - 2, features) == pytest.approx(1.0, abs=1e-6)


@BOTH
def test_unrelated_features_are_at_zero_without_a_bias(measure, features):
    rng = np.random.default_rng(3)
    found = [measure(rng.normal(size=features.shape), features) for _ in range(5)]
    assert np.abs(found).max() < 0.04 and abs(np.mean(found)) < 0.015


@BOTH
def test_noise_lowers_it_step_by_step(measure, features):
    noise = np.random.default_rng(4).normal(scale=features.std(), size=features.shape)
    found = [measure(features + level * noise, features) for level in (0.0, 0.1, 0.3, 1.0, 3.0)]
    assert np.diff(found).max() < 0 and found[-1] < 0.6


@BOTH
def test_a_collapsed_encoder_keeps_nothing(measure, features):
    assert measure(np.full((ITEMS, 3), 0.3), features) == 0.0


@BOTH
def test_the_order_of_items_changes_nothing(measure, features):
    rng = np.random.default_rng(5)
    other, order = features + rng.normal(size=features.shape), rng.permutation(ITEMS)
    assert measure(features[order], other[order]) == pytest.approx(measure(features, other), abs=1e-9)
    assert measure(features[order], other) < 0.1


@BOTH
def test_what_does_not_fit_is_refused(measure, features):
    with pytest.raises(ValueError, match="the same n items"):
        measure(features, features[1:])
    for few in (1, 2, 3):
        with pytest.raises(NotApplicable, match=f"needs at least 4 test items, there are {few}"):
            measure(features[:few], features[:few])
    assert np.isfinite(measure(features[:4], features[:4]))
    with pytest.raises(Diverged, match="NaN"):
        measure(np.full_like(features, np.nan), features)
