from __future__ import annotations

import pytest
from toys import Toy, changed, state_of, toy_problem, two_pair_loss, two_pair_problem, whole

from mmulbench.methods.finetune import Finetune


def test_loss_is_cross_entropy():
    given = two_pair_problem()
    loss = Finetune().loss(Toy(), whole(given.retain), given)
    assert loss.item() == pytest.approx(two_pair_loss())


def test_reads_the_retain_set_alone(monkeypatch):
    given, seen = two_pair_problem(), set()
    real = Finetune.loss
    monkeypatch.setattr(
        Finetune, "loss", lambda self, m, b, p: seen.update(b.first.tolist()) or real(self, m, b, p)
    )
    Finetune(Finetune.Config(epochs=2)).unlearn(given)
    assert seen == {0, 1}


def test_descends_and_trains_everything():
    given = two_pair_problem()
    before = state_of(given.original)
    model = Finetune(Finetune.Config(epochs=5, lr=0.01)).unlearn(given)
    assert changed(before, model) == set(before)
    assert Finetune().loss(model, whole(given.retain), given).item() < two_pair_loss()


def test_an_epoch_is_one_pass_over_the_retain_units():
    given = toy_problem()
    with given.meter:
        Finetune(Finetune.Config(epochs=3, batch_size=2)).unlearn(given)
    cost = given.meter.cost()
    assert (cost.samples, cost.steps) == (3 * 4, 3 * 2)
    assert len(given.retain.split) == 8, "of eight pairs, an epoch sees one of each unit's two"
