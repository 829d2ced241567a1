from __future__ import annotations

import math

import pytest
from toys import Toy, two_pair_loss, two_pair_problem, whole

from mmulbench.methods.grad_diff import GradDiff


@pytest.mark.parametrize(("gamma", "alpha"), [(1.0, 1.0), (2.0, 0.5), (0.0, 1.0), (1.0, 0.0)])
def test_loss_by_hand(gamma, alpha):
    given = two_pair_problem()
    method = GradDiff(GradDiff.Config(gamma=gamma, alpha=alpha))
    loss = method.loss(Toy(), whole(given.forget), whole(given.retain), given)
    assert loss.item() == pytest.approx(alpha * two_pair_loss() - gamma * math.log(2))


def test_both_sets_weigh_the_same_by_default():
    config = GradDiff.Config()
    assert config.gamma == config.alpha == 1.0


def test_raises_the_loss_on_df():
    given = two_pair_problem()
    model = GradDiff(GradDiff.Config(epochs=5, lr=0.02)).unlearn(given)
    assert model(whole(given.forget)).loss.item() > math.log(2)
