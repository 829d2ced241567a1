from __future__ import annotations

import math
from typing import Any

import pytest
from toys import Toy, state_of, toy_problem, two_pair_loss, two_pair_problem, whole

from mmulbench.methods.finetune import Finetune
from mmulbench.methods.neggrad_plus import NegGradPlus

LONE = math.log(2)
"""The identity's loss on pair 2 alone: no other text, and matching logits (1, 1)."""


def test_loss_by_hand():
    given = two_pair_problem()
    method = NegGradPlus(NegGradPlus.Config(alpha=0.8))
    loss = method.loss(Toy(), whole(given.forget), whole(given.retain), given)
    assert loss.item() == pytest.approx(0.8 * two_pair_loss() - 0.2 * LONE)


def test_with_alpha_1_it_is_finetune():
    """Only without draws inside the model: those for Df come in between."""
    settings: dict[str, Any] = {"epochs": 2, "lr": 0.01, "batch_size": 2}
    plus = NegGradPlus(NegGradPlus.Config(alpha=1.0, **settings)).unlearn(toy_problem())
    plain = Finetune(Finetune.Config(**settings)).unlearn(toy_problem())
    assert all((value == state_of(plain)[name]).all() for name, value in state_of(plus).items())


def test_an_epoch_is_a_pass_over_dr_with_df_repeated_beside_it(monkeypatch):
    given, forgotten, retained = toy_problem(forget=(0,)), [], []
    real = NegGradPlus.loss

    def loss(self, model, forget, retain, problem):
        forgotten.extend(forget.rows.tolist())
        retained.extend(retain.first.tolist())
        return real(self, model, forget, retain, problem)

    monkeypatch.setattr(NegGradPlus, "loss", loss)
    NegGradPlus(NegGradPlus.Config(epochs=1, batch_size=2)).unlearn(given)
    assert sorted(retained) == [1, 2, 3, 4, 5]
    assert len(forgotten) == 4 and set(forgotten) == {0, 1}


def test_raises_the_loss_on_df():
    given = two_pair_problem()
    model = NegGradPlus(NegGradPlus.Config(alpha=0.5, epochs=5, lr=0.02)).unlearn(given)
    assert model(whole(given.forget)).loss.item() > LONE
