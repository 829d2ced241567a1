from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from gradients_by_hand import classes_gradients
from labelled_toys import LabelledToy, labelled_problem
from toys import changed, random_features, state_of, toy_problem, two_pair_problem, whole

from mmulbench.methods._fisher import encoded, fisher_diagonal, mean_pair_loss, pair_losses, reference_pools
from mmulbench.methods.fisher import Fisher


def trainable(problem):
    return problem.copy_of_original().requires_grad_(True)


def test_loss_of_a_pair_by_hand():
    """Reference: the first pair. The second has similarity 0 to it; log-odds of matching are -1 and 2."""
    given = two_pair_problem(forget=(0, 1))
    batch = whole(given.forget)
    pairs = encoded(batch, given.original.encode_batch(batch))
    found = pair_losses(given.original, pairs, reference_pools(given))
    expected = [math.log(1 + math.e), 2 * math.log(1 + math.exp(-2))]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_loss_of_a_pair_is_its_cross_entropy():
    given = labelled_problem()
    batch = whole(given.forget)
    assert reference_pools(given) is None
    found = pair_losses(given.original, encoded(batch, given.original.encode_batch(batch)), None)
    assert found.mean().item() == pytest.approx(given.original(batch).loss.item(), rel=1e-5)


def test_loss_of_a_pair_depends_on_no_other_pair():
    given = toy_problem()
    pools = reference_pools(given)
    together = whole(given.forget)
    losses = pair_losses(given.original, encoded(together, given.original.encode_batch(together)), pools)
    alone = [
        mean_pair_loss(given.original, given.forget.batch(np.array([i])), pools) for i in range(len(together))
    ]
    assert torch.allclose(losses, torch.stack(alone))


def test_information_is_the_mean_of_squared_gradients_of_single_pairs():
    given = labelled_problem()
    found = fisher_diagonal(trainable(given), given.forget, 1000, None, given)
    names = [name for name, _ in given.original.named_parameters()]
    gradients = classes_gradients(given, given.forget)
    expected = (gradients**2).mean(0)
    assert torch.allclose(found[names.index("classes.weight")], expected, atol=1e-6)
    assert not torch.allclose(gradients.mean(0) ** 2, expected, rtol=0.1), "else batches would do as well"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_information_does_not_depend_on_how_pairs_are_batched(size):
    """Over parts of any size, its mean weighted by their pairs is that of the whole."""
    given = toy_problem(forget=(0, 1, 2))
    pools, model = reference_pools(given), trainable(given)
    whole_set = fisher_diagonal(model, given.forget, 1000, pools, given)
    split = given.forget.split
    parts = [split.only(split.units[start : start + size]) for start in range(0, 3, size)]
    found = [
        [
            len(part) / len(split) * f
            for f in fisher_diagonal(model, replace(given.forget, split=part), 1000, pools, given)
        ]
        for part in parts
    ]
    for one, together in zip(zip(*found, strict=True), whole_set, strict=True):
        assert torch.allclose(torch.stack(one).sum(0), together, atol=1e-6)


class Prompted(LabelledToy):
    """Fuses a prompt with every pair: a parameter that is a module's input as it is."""

    def __init__(self):
        super().__init__()
        self.prompt = torch.nn.Parameter(torch.ones(2))

    def fuse(self, a, b):
        return super().fuse(a, b) + self.fusion(self.prompt)


def test_a_parameter_may_be_the_input_of_a_module():
    given = replace(labelled_problem(), original=Prompted().eval().requires_grad_(False))
    model = trainable(given)
    found = fisher_diagonal(model, given.forget, 1000, None, given)
    assert all(information.sum() > 0 for information in found)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_at_most_so_many_pairs_are_read():
    given = toy_problem()
    with given.meter:
        fisher_diagonal(trainable(given), given.forget, 3, reference_pools(given), given)
    assert given.meter.cost().samples == 3 + len(given.validation.split)


def test_noise_has_the_inverse_information_as_variance():
    information = fisher_diagonal(trainable(labelled_problem()), labelled_problem().retain, 9, None,
                                  labelled_problem())  # fmt: skip
    moves = []
    for seed in range(200):
        given = replace(labelled_problem(), seed=seed)
        model = Fisher(Fisher.Config(alpha=1e-4)).unlearn(given)
        moves.append([b - a for a, b in zip(given.original.parameters(), model.parameters(), strict=True)])
    for place, found in enumerate(information):
        variance = torch.stack([move[place] for move in moves]).var(0)
        expected = 1e-4 * (1 / (found + 1e-8)).clamp(max=1e3)
        assert torch.allclose(variance, expected, rtol=0.45)


def test_weights_that_nothing_needs_get_the_largest_noise():
    """The text's map is of no use where all images are zero."""
    features = random_features()
    images = features.arrays["image"]["x"]
    assert isinstance(images, torch.Tensor)
    images.zero_()
    moves = [
        Fisher(Fisher.Config(alpha=1e-4)).unlearn(replace(toy_problem(features=features), seed=seed))
        for seed in range(30)
    ]
    spread = torch.stack([model.text.weight.detach() for model in moves]).std(0)
    assert torch.allclose(spread, torch.full((2, 2), math.sqrt(1e-4 * 1e3)), rtol=0.4)


def test_without_alpha_nothing_changes_and_the_forget_set_is_not_read(monkeypatch):
    given = toy_problem()
    monkeypatch.setattr(type(given.forget), "batch", refusing(given.forget, type(given.forget).batch))
    model = Fisher(Fisher.Config(alpha=0.0)).unlearn(given)
    assert not changed(state_of(given.original), model)


def refusing(forbidden, real):
    def batch(self, positions):
        assert self is not forbidden
        return real(self, positions)

    return batch
