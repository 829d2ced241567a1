from __future__ import annotations

import pytest
from toys import Toy, two_pair_loss, two_pair_problem, whole

from mmulbench.methods.gradient_ascent import GradientAscent


def test_loss_is_minus_cross_entropy():
    given = two_pair_problem(forget=(0, 1))
    loss = GradientAscent().loss(Toy(), whole(given.forget), given)
    assert loss.item() == pytest.approx(-two_pair_loss())


def test_reads_the_forget_set_alone(monkeypatch):
    given, seen = two_pair_problem(forget=(0, 1)), set()
    real = GradientAscent.loss
    monkeypatch.setattr(
        GradientAscent, "loss", lambda self, m, b, p: seen.update(b.first.tolist()) or real(self, m, b, p)
    )
    GradientAscent(GradientAscent.Config(epochs=2)).unlearn(given)
    assert seen == {0, 1}


def test_raises_the_loss_on_the_forget_set():
    given = two_pair_problem(forget=(0, 1))
    model = GradientAscent(GradientAscent.Config(epochs=5, lr=0.01)).unlearn(given)
    assert model(whole(given.forget)).loss.item() > two_pair_loss()
