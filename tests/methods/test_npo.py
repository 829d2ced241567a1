from __future__ import annotations

import math

import pytest
import torch
from labelled_toys import LabelledToy, labelled_problem
from toys import Toy, two_pair_loss, two_pair_problem, whole

from mmulbench.core.data import Targets
from mmulbench.methods.npo import Npo, log_likelihood

EYE = Targets(torch.eye(2, dtype=torch.bool))


def test_log_likelihood_of_a_class():
    logits = {"classification": torch.tensor([[0.0, math.log(3), 0.0], [0.0, 0.0, 0.0]])}
    found = log_likelihood(logits, Targets(EYE.related, torch.tensor([1, 2])))
    assert found.tolist() == pytest.approx([math.log(3 / 5), math.log(1 / 3)])


def test_log_likelihood_in_retrieval_is_a_mean_over_paths():
    contrastive = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])
    matching = torch.tensor([[0.0, math.log(4)], [0.0, 0.0]])
    found = log_likelihood({"contrastive": contrastive, "matching": matching}, EYE)
    assert found.tolist() == pytest.approx([(math.log(3 / 4) + math.log(4 / 5)) / 2, math.log(1 / 2)])


def test_other_true_items_are_no_rivals():
    """Row 0 belongs with columns 0 and 1, so only column 2 stands against its own."""
    similarity = torch.tensor([[math.log(2), 9.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    related = torch.eye(3, dtype=torch.bool)
    related[0, 1] = True
    found = log_likelihood({"contrastive": similarity}, Targets(related))
    assert found.tolist() == pytest.approx([math.log(2 / 3), math.log(1 / 3), math.log(1 / 3)])
    found.sum().backward()
    assert similarity.grad.isfinite().all() and similarity.grad[0, 1] == 0


@pytest.mark.parametrize("alpha", [0.0, 1.0, 0.5])
def test_loss_of_the_original_by_hand(alpha):
    given = two_pair_problem()
    method = Npo(Npo.Config(beta=0.5, alpha=alpha))
    loss = method.loss(Toy(), whole(given.forget), whole(given.retain), given)
    assert loss.item() == pytest.approx(2 / 0.5 * math.log(2) + alpha * two_pair_loss())


def test_loss_of_a_changed_model_by_hand():
    """Zero logits give every class a third; before, pair 0 had logits (1, 0, 0) and class 0."""
    given = labelled_problem(labels=(0, 1, 1), forget=(0,))
    given.forget.features.arrays["image"]["x"][0] = torch.tensor([1.0, 0.0])
    given.forget.features.arrays["text"]["x"][0] = torch.tensor([1.0, 7.0])
    student = LabelledToy()
    student.classes.weight.data.zero_()
    ratio = math.log(1 / 3) - (1 - math.log(math.e + 2))
    expected = 2 / 0.1 * math.log(1 + math.exp(0.1 * ratio))
    loss = Npo(Npo.Config(alpha=0.0)).loss(student, whole(given.forget), whole(given.retain), given)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_starts_as_gradient_ascent_on_the_log_likelihood():
    """At the original the gradient is that of the mean log probability, whatever beta is."""
    given, model = labelled_problem(), LabelledToy()
    batch = whole(given.forget)
    log_p = log_likelihood(model(batch).logits, batch.targets).mean()
    expected = torch.autograd.grad(log_p, list(model.parameters()))
    for beta in (0.1, 3.0):
        loss = Npo(Npo.Config(beta=beta, alpha=0.0)).loss(model, batch, whole(given.retain), given)
        for found, wanted in zip(torch.autograd.grad(loss, list(model.parameters())), expected, strict=True):
            torch.testing.assert_close(found, wanted)


def test_forgets():
    given = labelled_problem()
    batch = whole(given.forget)
    model = Npo(Npo.Config(epochs=20, lr=0.05)).unlearn(given)
    before = log_likelihood(given.original(batch).logits, batch.targets).mean()
    assert log_likelihood(model(batch).logits, batch.targets).mean() < before - 0.1
