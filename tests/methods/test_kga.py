from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from toys import Toy, changed, state_of, toy_problem, two_pair_problem, whole

from mmulbench.core.method import UnlearningProblem
from mmulbench.methods.kga import Kga, new_data
from mmulbench.methods.scrub import Scrub


def blank():
    """Believes nothing: all logits are 0."""
    model = Toy()
    for parameter in model.parameters():
        parameter.data.zero_()
    return model.eval()


def bernoulli(logit: float, other: float) -> float:
    """KL between two-way beliefs with these log-odds."""
    p, q = 1 / (1 + math.exp(-logit)), 1 / (1 + math.exp(-other))
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


def two_pairs_everywhere():
    """Pairs 0 and 1 are Df, Dr and Dn alike.

    The toy's log-odds are 1 and 2 within the rows of similarities, and 1 and -2 for (unrelated, related).
    """
    given = two_pair_problem(forget=(0, 1))
    return given, tuple(whole(given.forget) for _ in range(3))


FROM_BLANK = (bernoulli(1, 0) + bernoulli(2, 0)) / 2
"""KL of the toy's beliefs from those of a blank model, on either path."""

TO_BLANK = (bernoulli(0, 1) + bernoulli(0, 2)) / 2


def test_gaps_by_hand():
    """The original and the model stand to a blank helper alike, but not to one like themselves."""
    given, batches = two_pairs_everywhere()
    loss = Kga(Kga.Config(alpha=0.0)).loss
    assert loss(Toy(), blank(), blank(), batches, given).item() == pytest.approx(0, abs=1e-6)
    assert loss(Toy(), Toy(), blank(), batches, given).item() == pytest.approx(FROM_BLANK, rel=1e-5)
    assert loss(Toy(), blank(), Toy(), batches, given).item() == pytest.approx(FROM_BLANK, rel=1e-5)


def test_divergences_go_from_the_helped_to_the_helper():
    given, batches = two_pairs_everywhere()
    loss = Kga(Kga.Config(alpha=0.0)).loss
    found = loss(blank(), Toy(), Toy(), batches, given).item()
    assert found == pytest.approx(TO_BLANK, rel=1e-5) != pytest.approx(FROM_BLANK, rel=1e-2)


def test_divergence_on_the_retain_set_is_weighted():
    given, batches = two_pairs_everywhere()
    loss = Kga(Kga.Config(alpha=2.0)).loss
    expected = FROM_BLANK + 2.0 * FROM_BLANK  # gap of 0 against a target of FROM_BLANK; KL(p_0 || p)
    assert loss(blank(), blank(), blank(), batches, given).item() == pytest.approx(expected, rel=1e-5)


def test_new_data_are_as_many_validation_units_as_are_deleted():
    given = toy_problem(held_out=((6, 9), (6, 10), (7, 10)))
    assert len(new_data(given).split.units) == 2
    one = toy_problem(forget=(3,), held_out=((6, 9), (6, 10), (7, 10)))
    found = {int(new_data(replace(one, seed=seed)).split.units[0]) for seed in range(20)}
    assert found == {6, 7}


def test_helpers_learn_their_own_sets_and_stay_as_they_are(monkeypatch):
    trained, real = [], UnlearningProblem.train_from_scratch

    def recording(self, data, seed=None):
        model = real(self, data, seed)
        trained.append((data.split.units.tolist(), model, state_of(model)))
        return model

    monkeypatch.setattr(UnlearningProblem, "train_from_scratch", recording)
    given = toy_problem()
    model = Kga(Kga.Config(epochs=2, batch_size=2)).unlearn(given)
    assert [units for units, _, _ in trained] == [[0, 1], [6, 7]]
    for _, helper, before in trained:
        assert not changed(before, helper) and changed(before, Toy()) and changed(before, model)
        assert not any(parameter.requires_grad for parameter in helper.parameters())


def test_every_retained_unit_is_seen_beside_the_others(monkeypatch):
    given, seen = toy_problem(), []
    real = Kga.loss

    def loss(self, model, forget_helper, new_helper, batches, problem):
        seen.append([sorted(set(batch.first.tolist())) for batch in batches])
        return real(self, model, forget_helper, new_helper, batches, problem)

    monkeypatch.setattr(Kga, "loss", loss)
    Kga(Kga.Config(epochs=1, batch_size=2)).unlearn(given)
    forget, retain, new = ({i for step in seen for i in step[place]} for place in range(3))
    assert (forget, retain, new) == ({0, 1}, {2, 3, 4, 5}, {6, 7})
    assert len(seen) == 2


def test_its_cost_has_both_helpers():
    costs = []
    for method in (Kga(Kga.Config(epochs=1)), Scrub(Scrub.Config(epochs=1, msteps=0))):
        given = toy_problem()
        with given.meter:
            method.unlearn(given)
        costs.append(given.meter.cost().steps)
    # Two epochs on two units each, in one batch of two.
    assert costs[0] == costs[1] + 2 + 2
    assert torch.is_grad_enabled()
