from __future__ import annotations

from typing import Any

import pytest
import torch
from labelled_toys import LabelledToy, labelled_problem
from toys import changed, state_of, toy_problem, whole

from mmulbench.methods.random_label import RandomLabel
from mmulbench.methods.salun import Salun, top_masks


def test_top_masks_by_hand():
    values = [torch.tensor([[3.0, -4.0], [0.5, 0.0]]), torch.tensor([-2.0, 1.0])]
    masks = top_masks(values, 0.5)
    assert [mask.tolist() for mask in masks] == [[[True, True], [False, False]], [True, False]]
    assert all(mask.all() for mask in top_masks(values, 1.0))


def test_of_equal_values_the_first_are_taken():
    assert top_masks([torch.zeros(4), torch.tensor([1.0, 0.0])], 0.5)[0].tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_half_of_a_models_weights_may_change():
    given = toy_problem()
    method = Salun(Salun.Config(batch_size=2))
    masks = top_masks(method.saliency(given.copy_of_original().requires_grad_(), given), 0.5)
    assert sum(int(mask.sum()) for mask in masks) == 8  # of 16


@pytest.mark.parametrize("batch_size", [2, 3, 4, 64])
def test_saliency_is_the_gradient_over_all_pairs_whatever_the_batches(batch_size):
    """Five deleted pairs: no batch may be dropped, and a smaller last batch weighs less."""
    given, model = labelled_problem(), LabelledToy()
    found = Salun(Salun.Config(batch_size=batch_size)).saliency(model, given)
    loss = torch.stack([given.original(given.forget.batch(torch.tensor([i]).numpy())).loss for i in range(5)])
    assert len(set(loss.tolist())) == 5, "else a dropped pair might not show"
    model = LabelledToy()
    output = model(whole(given.forget)).logits["classification"]
    labels = whole(given.forget).targets.labels
    total = torch.nn.functional.cross_entropy(output, labels, reduction="sum")
    for value, expected in zip(found, torch.autograd.grad(total, list(model.parameters())), strict=True):
        torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("make", [toy_problem, labelled_problem])
def test_weights_outside_the_mask_stay_bit_for_bit(make):
    given = make()
    method = Salun(Salun.Config(epochs=4, lr=0.05, batch_size=2))
    masks = top_masks(method.saliency(given.copy_of_original().requires_grad_(), given), 0.5)
    model = method.unlearn(given)
    before = list(given.original.parameters())
    for parameter, old, mask in zip(model.parameters(), before, masks, strict=True):
        assert torch.equal(parameter[~mask], old[~mask])
    moved = [(p != old)[mask] for p, old, mask in zip(model.parameters(), before, masks, strict=True)]
    assert torch.cat(moved).float().mean() > 0.8


def test_neither_decay_nor_momentum_moves_a_masked_weight():
    given = labelled_problem()
    method = Salun(Salun.Config(batch_size=2))
    model = given.copy_of_original().train()
    learner = method.learner(model, given)
    masks = top_masks(method.saliency(given.copy_of_original().requires_grad_(), given), 0.5)
    learner.optimizer.param_groups[0]["weight_decay"] = 0.5
    for _ in range(3):
        learner.step(whole(given.retain), lambda batch: model(batch).loss, "step")
    before = list(given.original.parameters())
    for parameter, old, mask in zip(model.parameters(), before, masks, strict=True):
        assert torch.equal(parameter[~mask], old[~mask])
    assert changed(state_of(given.original), model)


def test_with_all_weights_it_is_random_label():
    settings: dict[str, Any] = {"epochs": 2, "lr": 0.01, "batch_size": 2}
    model = Salun(Salun.Config(fraction=1.0, **settings)).unlearn(labelled_problem())
    plain = RandomLabel(RandomLabel.Config(**settings)).unlearn(labelled_problem())
    assert not changed(state_of(plain), model)


def test_the_saliency_pass_is_charged_and_leaves_the_original_without_gradients():
    costs = []
    for cls in (RandomLabel, Salun):
        given = labelled_problem()
        cls(cls.Config(epochs=1)).unlearn(given)
        costs.append(given.meter.cost())
        assert all(p.grad is None for p in given.original.parameters())
    assert costs[1].samples == costs[0].samples + 5 and costs[1].steps == costs[0].steps
