from __future__ import annotations

import numpy as np
import pytest
import torch
from gradients_by_hand import dense, single_gradients
from labelled_toys import labelled_problem
from toys import Table, changed, numbered_features, state_of, toy_problem

from mmulbench.errors import NotApplicable
from mmulbench.methods import l_codec
from mmulbench.methods._codec import conditional, select, unconditional
from mmulbench.methods._fisher import encoded, reference_pools
from mmulbench.methods._slices import Slices, measure, recorded
from mmulbench.methods.l_codec import LCodec, noise_scale, perturbed


def draws(count=400, columns=6, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, columns)))


def test_dependence_by_hand():
    """z = 0, 1, 3, 7: nearest neighbours 1, 0, 1, 2. y rises with z: ranks 1 to 4, not below 4 to 1."""
    z, y = torch.tensor([[0.0], [1.0], [3.0], [7.0]]), torch.tensor([1.0, 2.0, 3.0, 4.0])
    over = 4 * (1 + 1 + 2 + 3) - (16 + 9 + 4 + 1)
    under = 4 * 0 + 3 * 1 + 2 * 2 + 1 * 3
    assert unconditional(z, y).tolist() == pytest.approx([over / under])


def test_conditional_dependence_by_hand():
    """x pairs the draws off as 0-1 and 2-3; with z as well, 0-2 and 1-3 are nearest."""
    x = torch.tensor([0.0, 1.0, 10.0, 11.0])
    z = torch.tensor([[0.0], [100.0], [0.0], [100.0]])
    y = torch.tensor([1.0, 3.0, 2.0, 4.0])
    # Ranks 1, 3, 2, 4; with the neighbour in x: 1, 1, 2, 2; with that in (x, z): 1, 3, 1, 3.
    expected = ((1 - 1) + (3 - 1) + (1 - 2) + (3 - 2)) / ((1 - 1) + (3 - 1) + (2 - 2) + (4 - 2))
    distances = (x[:, None] - x[None]) ** 2
    assert conditional(z, y, distances).tolist() == pytest.approx([expected])


def test_dependence_is_near_one_for_a_function_and_near_zero_for_noise():
    x = draws()
    found = unconditional(x, x[:, 2] ** 2)
    assert found[2] > 0.9
    assert (found[[0, 1, 3, 4, 5]].abs() < 0.2).all()


def test_selection_finds_what_the_target_is_made_of():
    x = draws()
    assert set(select(x, 3 * x[:, 4] + x[:, 1], most=2)) == {1, 4}
    assert select(x, 3 * x[:, 4] + x[:, 1], most=1) == [4]
    assert select(x, x[:, 3], most=6)[0] == 3


@pytest.mark.parametrize("seed", range(5))
def test_no_column_is_selected_twice(seed):
    x = draws(count=60, seed=seed)
    found = select(x, x.sum(1) + 3 * x[:, 0], most=6)
    assert len(set(found)) == len(found) > 1


def test_selection_goes_beyond_one_block(monkeypatch):
    x = draws(columns=7)
    expected = select(x, x[:, 6] + 2 * x[:, 5], most=3)
    monkeypatch.setattr("mmulbench.methods._codec.BLOCK", 2)
    assert select(x, x[:, 6] + 2 * x[:, 5], most=3) == expected


def test_nothing_is_added_to_a_column_that_tells_all():
    """Equal ranks of neighbours: the coefficient is 0 for all others."""
    x = torch.tensor([[0.0, 5.0], [0.1, 1.0], [9.0, 3.0], [9.1, 2.0]])
    assert select(x, torch.tensor([1.0, 1.0, 2.0, 2.0]), most=2) == [0]


def test_slices_are_rows_with_their_biases():
    layers = [torch.nn.Linear(2, 3), torch.nn.Linear(3, 2, bias=False)]
    for layer in layers:
        for parameter in layer.parameters():
            parameter.data.zero_()
    slices = Slices(layers, [4, 1])
    assert [tuple(p.shape) for p in slices.parameters] == [(3, 2), (3,), (2, 3)]
    slices.add(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    assert layers[1].weight.tolist() == [[0, 0, 0], [1, 2, 3]]
    assert layers[0].weight.tolist() == [[0, 0], [4, 5], [0, 0]]
    assert layers[0].bias.tolist() == [0, 6, 0]
    values = tuple(parameter.detach() for parameter in slices.parameters)
    assert slices.vector(values).tolist() == [1, 2, 3, 4, 5, 6]


def test_outputs_of_the_layers_behind_the_encoders_are_candidates():
    given = toy_problem()
    model, batch = given.original, given.forget.batch(np.arange(3))
    a, b = model.encode_batch(batch)
    found, loss = measure(model, encoded(batch, (a, b)), reference_pools(given))
    assert list(found) == [model.fusion, model.matching]
    fused = (a.pooled * b.pooled).mean(0)
    assert torch.allclose(torch.stack(list(found.values())), fused.expand(2, 2))
    assert loss.ndim == 0 and not model.fusion._forward_hooks


def test_a_layer_that_runs_twice_counts_by_its_first_run():
    """An embedding runs again on the reference items, which no draw perturbs."""
    layer = torch.nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(2.0)
    with recorded(torch.nn.Sequential(layer)) as found:  # type: ignore[arg-type]
        layer(torch.ones(3, 1))
        layer(torch.full((3, 1), 5.0))
    assert found[layer].tolist() == [2.0]


def test_draws_have_the_noise_that_is_asked_for():
    given = toy_problem()
    a, _ = given.original.encode_batch(given.forget.batch(np.arange(3)))
    torch.manual_seed(0)
    moved = torch.stack([perturbed(a, 0.1).tokens - a.tokens for _ in range(500)])
    assert moved.std().item() == pytest.approx(0.1 * a.tokens.std().item(), rel=0.1)


@pytest.mark.parametrize(("n", "expected"), [(50_000, 0.00622), (12_572, 0.0983), (1000, 15.54)])
def test_noise_at_known_sizes(n, expected):
    """The first is what the released code's function gives with its own defaults."""
    assert noise_scale(n, 0.01, 0.1, 0.01) == pytest.approx(expected, rel=1e-3)


def test_step_by_hand(monkeypatch):
    """One batch of the five deleted of six pairs, without noise, on the last row of the last layer."""
    monkeypatch.setattr(l_codec, "select", lambda features, target, most: [4])
    monkeypatch.setattr(l_codec, "noise_scale", lambda *given: 0.0)
    given = labelled_problem()
    model = LCodec(LCodec.Config(batch_size=64, damping=0.1, perturbations=3)).unlearn(given)
    # Parameters are image, text, fusion and classes; outputs 0 and 1 are fusion's, 4 is class 2.
    place = slice(12 + 4, 12 + 6)
    rows = single_gradients(given, given.retain)[:, place]
    mean = single_gradients(given, given.forget)[:, place].mean(0)
    step = 5 / (6 - 5) * dense(rows, 0.1, mean)
    assert torch.allclose(model.classes.weight[2], given.original.classes.weight[2] + step, atol=1e-5)
    assert torch.equal(model.classes.weight[:2], given.original.classes.weight[:2])
    assert changed(state_of(given.original), model) == {"classes.weight"}


def test_at_most_so_many_slices_change_and_no_encoder():
    given = toy_problem()
    model = LCodec(LCodec.Config(batch_size=64, most=1, perturbations=10)).unlearn(given)
    rows = [
        (after != before).any(1).sum()
        for before, after in zip(given.original.parameters(), model.parameters(), strict=True)
    ]
    assert [int(count) for count in rows[:2]] == [0, 0] and sum(rows) == 1


def test_a_model_without_linear_layers_is_not_for_it():
    table = Table(torch.eye(3), torch.eye(3))
    with pytest.raises(NotApplicable, match="this model has none"):
        LCodec().unlearn(
            toy_problem(
                pairs=((0, 0), (1, 1)),
                forget=(0,),
                original=table,
                held_out=((2, 2),),
                features=numbered_features(3),
            )
        )
