from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from gradients_by_hand import dense, single_gradients
from labelled_toys import labelled_problem
from toys import changed, state_of, toy_problem

from mmulbench.methods._fisher import flat, inverse_fisher_times
from mmulbench.methods.influence import Influence


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("damping", [0.01, 1.0])
def test_the_inverse_is_exact(count, damping):
    torch.manual_seed(count)
    rows, vector = torch.randn(count, 8).double(), torch.randn(8).double()
    assert torch.allclose(inverse_fisher_times(rows, damping, vector), dense(rows, damping, vector))


def test_the_inverse_knows_more_than_the_first_gradient():
    """The released recursion changes a vector along the first gradient alone."""
    rows, vector = torch.eye(2).double(), torch.tensor([0.0, 1.0]).double()
    assert inverse_fisher_times(rows, 1.0, vector).tolist() == pytest.approx([0, 1 / 1.5])


def test_step_by_hand():
    """Of six units, two are deleted."""
    given = labelled_problem(forget=(0, 1))
    on_forget, on_retain = single_gradients(given, given.forget), single_gradients(given, given.retain)
    direction = 2 / 6 * (on_forget.mean(0) - on_retain.mean(0))
    expected = flat(given.original.parameters()) + 3.0 * dense(on_retain, 0.1, direction)
    model = Influence(Influence.Config(alpha=3.0, damping=0.1)).unlearn(given)
    assert torch.allclose(flat(model.parameters()), expected, atol=1e-5)


def stepped(given, on_forget, share):
    on_retain = single_gradients(given, given.retain)
    direction = share * (on_forget.mean(0) - on_retain.mean(0))
    return flat(given.original.parameters()) + 3.0 * dense(on_retain, 0.1, direction)


def test_units_or_pairs_count_as_the_recipe_draws_them():
    """The first of two deleted units has two pairs."""
    given = labelled_problem(forget=(0, 1), more=((0, 2),))
    on_forget = single_gradients(given, given.forget)
    units = given.forget.split.first
    (a, b), (c,) = (units == 0).nonzero()[0], (units == 1).nonzero()[0]
    method = Influence(Influence.Config(alpha=3.0, damping=0.1))
    by_unit = flat(method.unlearn(given).parameters())
    wanted = [stepped(given, on_forget[[pair, c]], 2 / 6) for pair in (a, b)]
    assert not torch.allclose(wanted[0], wanted[1], atol=1e-4)
    assert any(torch.allclose(by_unit, one, atol=1e-5) for one in wanted)
    pairs = replace(given, retain=replace(given.retain, sampling="pair"))
    by_pair = flat(method.unlearn(pairs).parameters())
    assert torch.allclose(by_pair, stepped(given, on_forget, 3 / 7), atol=1e-5)


def test_batch_size_does_not_matter():
    models = [
        Influence(Influence.Config(batch_size=size, damping=0.1)).unlearn(toy_problem()) for size in (1, 3)
    ]
    assert torch.allclose(flat(models[0].parameters()), flat(models[1].parameters()), atol=1e-5)


def test_a_small_step_raises_the_loss_on_the_forget_set():
    given = labelled_problem(forget=(0, 1))
    model = Influence(Influence.Config(alpha=0.1)).unlearn(given)
    assert changed(state_of(given.original), model)
    assert given.mean_loss(model, given.forget) > given.mean_loss(given.original, given.forget)
