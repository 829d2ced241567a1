from __future__ import annotations

from typing import Any

import pytest
import torch
from toys import Toy, state_of, toy_problem, two_pair_loss, two_pair_problem, whole

from mmulbench.methods.finetune import Finetune
from mmulbench.methods.l1_sparse import L1Sparse, l1_norm

NORM = 8.0
"""Of the toy: four identities of two rows."""


def test_l1_norm_by_hand():
    model = Toy()
    assert l1_norm(model).item() == NORM
    model.image.weight.data = torch.tensor([[-1.5, 0.0], [2.0, -0.5]])
    assert l1_norm(model).item() == NORM - 2 + 4


def test_the_coefficient_falls_from_epoch_to_epoch_and_is_read():
    given = two_pair_problem()
    method = L1Sparse(L1Sparse.Config(epochs=4, batch_size=2, gamma=0.1))
    loss, batch = method.loss_of(Toy(), given), whole(given.retain)
    penalties = [loss(batch).item() - two_pair_loss() for _ in range(4)]  # one step an epoch
    assert penalties == pytest.approx([0.1 * NORM, 0.075 * NORM, 0.05 * NORM, 0.025 * NORM], abs=1e-5)


def test_all_steps_of_an_epoch_have_its_coefficient(monkeypatch):
    seen, real = [], L1Sparse.coefficient
    monkeypatch.setattr(L1Sparse, "coefficient", lambda self, epoch: seen.append(epoch) or real(self, epoch))
    L1Sparse(L1Sparse.Config(epochs=3, batch_size=2)).unlearn(toy_problem())
    assert seen == [0, 0, 1, 1, 2, 2]


def test_gradient_of_the_penalty_is_the_sign():
    given, model = two_pair_problem(), Toy()
    model.image.weight.data = torch.tensor([[1.0, -0.5], [0.25, 2.0]])
    gradients = []
    (weight,) = model.image.parameters()
    for method in (L1Sparse(L1Sparse.Config(gamma=0.3)), Finetune()):
        loss = method.loss_of(model, given)(whole(given.retain))
        gradients.append(torch.autograd.grad(loss, weight)[0])
    torch.testing.assert_close(gradients[0] - gradients[1], 0.3 * weight.detach().sign())


def test_a_penalty_shrinks_the_weights_and_none_is_finetune():
    settings: dict[str, Any] = {"epochs": 4, "lr": 0.01, "batch_size": 2}
    plain = Finetune(Finetune.Config(**settings)).unlearn(toy_problem())
    none = L1Sparse(L1Sparse.Config(gamma=0.0, **settings)).unlearn(toy_problem())
    some = L1Sparse(L1Sparse.Config(gamma=1.0, **settings)).unlearn(toy_problem())
    assert all((value == state_of(plain)[name]).all() for name, value in state_of(none).items())
    assert l1_norm(some).item() < l1_norm(none).item()
