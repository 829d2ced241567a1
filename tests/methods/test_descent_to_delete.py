from __future__ import annotations

import math

import pytest
import torch
from toys import Toy, toy_problem, two_pair_loss, two_pair_problem, whole

from mmulbench.methods import descent_to_delete
from mmulbench.methods._fisher import flat
from mmulbench.methods.descent_to_delete import DescentToDelete, noise_scale


@pytest.mark.parametrize(
    ("n", "steps", "expected"),
    [(29_000, 1, 1.889), (145_000, 1, 0.403), (1359, 105, 0.186), (12_572, 105, 0.0226)],
)
def test_noise_at_known_sizes(n, steps, expected):
    """The released code's `compute_sigma` gives the same."""
    assert noise_scale(n, steps, 0.02, 5.0) == pytest.approx(expected, rel=3e-3)


def test_noise_by_hand():
    """wd = 1: M = 3, m = 1, L = 2, gamma = 1/2; n = e: ln(1 / delta) = 2; epsilon = 2."""
    n = 3
    log = 2 * math.log(3)
    expected = 8 * math.sqrt(2) * 0.25 / (3 * 0.75 * (math.sqrt(log + 2) - math.sqrt(log)))
    assert noise_scale(n, 2, 1.0, 2.0) == pytest.approx(expected)


def test_loss_is_cross_entropy_and_half_the_weighted_squares():
    """The toy's four maps are identities: the sum of squares is 8."""
    given = two_pair_problem()
    method = DescentToDelete(DescentToDelete.Config(weight_decay=0.5))
    found = method.loss(Toy(), whole(given.retain), given)
    assert found.item() == pytest.approx(two_pair_loss() + 0.25 * 8, rel=1e-5)


def test_noise_is_added_to_the_descended_model(monkeypatch):
    """Two epochs of two steps on four retained of six units, which have two pairs each."""
    config = DescentToDelete.Config(epochs=2, batch_size=2)
    noisy = DescentToDelete(config).unlearn(toy_problem())
    asked = []
    monkeypatch.setattr(descent_to_delete, "noise_scale", lambda *given: asked.append(given) or 0.0)
    descended = DescentToDelete(config).unlearn(toy_problem())
    assert asked == [(12, 4, 0.02, 5.0)]
    noise = (flat(noisy.parameters()) - flat(descended.parameters())) / noise_scale(*asked[0])
    assert 0.5 < noise.std().item() < 1.5 and abs(noise.mean().item()) < 1
    assert not torch.equal(flat(descended.parameters()), flat(Toy().parameters()))
