from __future__ import annotations

import math
from itertools import groupby
from typing import Any

import pytest
import torch
from toys import Toy, changed, random_features, state_of, toy_problem, two_pair_loss, two_pair_problem, whole

from mmulbench.methods._paths import divergence
from mmulbench.methods.scrub import Scrub

LN3 = math.log(3)
FORWARD = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
"""KL((1/4, 3/4) || (1/2, 1/2)); the other way round it is 0.1438, not 0.1308."""


def test_divergence_goes_from_the_original_to_the_student():
    teacher, student = {"p": torch.tensor([[0.0, LN3]])}, {"p": torch.zeros(1, 2)}
    assert divergence(teacher, student, 1.0).item() == pytest.approx(FORWARD)
    assert divergence(student, teacher, 1.0).item() == pytest.approx(
        0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    )


def test_divergence_is_taken_at_temperature_and_scaled_back():
    teacher, student = {"p": torch.tensor([[0.0, 2 * LN3]])}, {"p": torch.zeros(1, 2)}
    assert divergence(teacher, student, 2.0).item() == pytest.approx(4 * FORWARD)


def test_divergence_is_a_mean_over_the_batch_and_over_paths():
    rows = torch.tensor([[0.0, LN3], [0.0, 0.0]])
    teacher = {"p": rows, "q": torch.zeros(2, 2)}
    student = {"p": torch.zeros(2, 2), "q": torch.zeros(2, 2)}
    assert divergence(teacher, student, 1.0).item() == pytest.approx(FORWARD / 2 / 2)


def student_and_distance(temperature: float):
    """A student whose matching head is zero; its distance to the original on pairs 0 and 1 by hand.

    The original's matching logits are (1, 0) and (0, 2); the contrastive path is the same in both.
    """
    student = Toy()
    student.matching.weight.data.zero_()

    def kl(gap: float) -> float:
        p = 1 / (1 + math.exp(-gap / temperature))
        return p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))

    return student, temperature**2 * (kl(1) + kl(2)) / 2 / 2


def test_max_loss_by_hand():
    given = two_pair_problem(forget=(0, 1))
    student, distance = student_and_distance(4.0)
    assert Scrub().max_loss(student, whole(given.forget), given).item() == pytest.approx(-distance, rel=1e-5)


def test_min_loss_by_hand():
    given = two_pair_problem()
    student, distance = student_and_distance(3.0)
    contrastive = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2
    scrub = Scrub(Scrub.Config(alpha=2.0, gamma=0.5, temperature=3.0))
    expected = 2.0 * distance + 0.5 * (contrastive + math.log(2))
    assert scrub.min_loss(student, whole(given.retain), given).item() == pytest.approx(expected, rel=1e-5)


def test_the_original_is_at_no_distance_from_itself():
    given = two_pair_problem()
    scrub = Scrub(Scrub.Config(gamma=1.0))
    assert scrub.max_loss(Toy(), whole(given.forget), given).item() == pytest.approx(0, abs=1e-6)
    assert scrub.min_loss(Toy(), whole(given.retain), given).item() == pytest.approx(two_pair_loss())


@pytest.mark.parametrize(("msteps", "expected"), [(2, "XNXNN"), (0, "N"), (9, "XNXNXN")])
def test_max_and_min_epochs_alternate(msteps, expected, monkeypatch):
    given, order = toy_problem(), []
    real_max, real_min = Scrub.max_loss, Scrub.min_loss

    def max_loss(self, model, batch, problem):
        order.append(("X", len(batch), batch.first.tolist()))
        return real_max(self, model, batch, problem)

    def min_loss(self, model, batch, problem):
        order.append(("N", len(batch), batch.first.tolist()))
        return real_min(self, model, batch, problem)

    monkeypatch.setattr(Scrub, "max_loss", max_loss)
    monkeypatch.setattr(Scrub, "min_loss", min_loss)
    Scrub(Scrub.Config(epochs=3, msteps=msteps, batch_size=2)).unlearn(given)
    # Two min epochs in a row run together here; their pairs are counted below.
    assert "".join(kind for kind, _ in groupby(kind for kind, _, _ in order)) == expected.replace("NN", "N")
    assert {i for kind, _, firsts in order if kind == "X" for i in firsts} <= {0, 1}
    assert {i for kind, _, firsts in order if kind == "N" for i in firsts} == {2, 3, 4, 5}
    assert sum(size for kind, size, _ in order if kind == "X") == 4 * min(msteps, 3)
    assert sum(size for kind, size, _ in order if kind == "N") == 4 * 3


def test_rewind_returns_the_checkpoint_that_forgot_as_much_as_is_unknown():
    """Each checkpoint is also the result of a shorter run, so the right one is known without rewinding."""
    settings: dict[str, Any] = {"msteps": 2, "lr": 0.3, "batch_size": 2}

    def problem():
        return toy_problem(features=random_features(held_out_texts=1))

    shorter = [Scrub(Scrub.Config(epochs=n, **settings)).unlearn(problem()) for n in range(1, 6)]
    judge = problem()
    target = judge.mean_loss(shorter[-1], judge.validation)
    losses = [judge.mean_loss(model, judge.forget) for model in shorter]
    best = min(range(5), key=lambda i: abs(losses[i] - target))
    assert best < 4 and min(losses) < losses[best] < max(losses), "else the case would prove nothing"
    rewound = Scrub(Scrub.Config(epochs=5, rewind=True, **settings)).unlearn(problem())
    assert not changed(state_of(shorter[best]), rewound)
    assert changed(state_of(shorter[-1]), rewound)


def test_without_rewind_nothing_selects():
    given = toy_problem()
    with given.meter:
        Scrub(Scrub.Config(epochs=2, msteps=1, batch_size=2)).unlearn(given)
    # 1 max epoch of 4 pairs, 2 min epochs of 4 units; the original's outputs on 6 images, 9 texts, 12 pairs.
    assert given.meter.cost().samples == 4 + 8 + 27


def test_patience_stops_it_when_validation_pairs_get_worse():
    steps = []
    for epochs, patience in ((1, 0), (9, 2)):
        problem = toy_problem()
        config = Scrub.Config(epochs=epochs, msteps=9, lr=0.05, batch_size=4, patience=patience, gamma=0.0)
        Scrub(config).unlearn(problem)
        steps.append(problem.meter.cost().steps)
    assert steps[1] == 3 * steps[0]
