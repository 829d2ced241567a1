from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from gradients_by_hand import classes_gradients
from labelled_toys import LabelledToy, labelled_problem
from toys import changed, state_of, toy_problem

from mmulbench.methods.ssd import Ssd, dampening


@pytest.mark.parametrize(
    ("alpha", "strength", "expected"),
    [
        (1.0, 1.0, [1.0, 0.5, 0.25, 1.0]),
        (3.0, 1.0, [1.0, 1.0, 0.25, 1.0]),
        (1.0, 0.5, [1.0, 0.25, 0.125, 1.0]),
        (1.0, 3.0, [1.0, 1.0, 0.75, 1.0]),
        (9.0, 1.0, [1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_dampening_by_hand(alpha, strength, expected):
    """Importances 1, 2, 4 and 0 on Df where D has 1, 1, 1 and 0: 0 / 0 leaves a weight alone."""
    on_forget, on_all = torch.tensor([1.0, 2.0, 4.0, 0.0]), torch.tensor([1.0, 1.0, 1.0, 0.0])
    assert dampening(on_forget, on_all, alpha, strength).tolist() == pytest.approx(expected)


def test_unlearning_by_hand():
    """Five pairs deleted, one kept; importance to all is the mean over the six."""
    given = labelled_problem()
    with torch.no_grad():
        on_forget, on_retain = (
            (classes_gradients(given, data) ** 2).mean(0) for data in (given.forget, given.retain)
        )
    on_all = (5 * on_forget + on_retain) / 6
    factor = torch.where(on_forget > 1.1 * on_all, on_all / on_forget, torch.ones(3, 2))
    assert 0 < (factor < 1).sum() < 6, "else the case would prove nothing"
    model = Ssd(Ssd.Config(alpha=1.1)).unlearn(given)
    (found,) = model.classes.parameters()
    (before,) = LabelledToy().classes.parameters()
    assert torch.allclose(found, before * factor, atol=1e-6)


def dampened(on_forget, on_retain, share):
    on_all = share * on_forget + (1 - share) * on_retain
    weight: torch.Tensor = LabelledToy().classes.weight
    return weight * dampening(on_forget, on_all, 1.1, 1.0)


def weight_of(model) -> torch.Tensor:
    weight: torch.Tensor = model.classes.weight
    return weight


def test_units_or_pairs_count_as_the_recipe_draws_them():
    """The first of five deleted units has two pairs."""
    given = labelled_problem(more=((0, 2),))
    squares, on_retain = (classes_gradients(given, data) ** 2 for data in (given.forget, given.retain))
    first = (given.forget.split.first == 0).nonzero()[0]
    others = (given.forget.split.first != 0).nonzero()[0]
    method = Ssd(Ssd.Config(alpha=1.1))
    by_unit = weight_of(method.unlearn(given))
    wanted = [dampened(squares[[pair, *others]].mean(0), on_retain.mean(0), 5 / 6) for pair in first]
    assert not torch.allclose(wanted[0], wanted[1], atol=1e-4)
    assert any(torch.allclose(by_unit, one, atol=1e-6) for one in wanted)
    pairs = replace(given, retain=replace(given.retain, sampling="pair"))
    by_pair = weight_of(method.unlearn(pairs))
    assert torch.allclose(by_pair, dampened(squares.mean(0), on_retain.mean(0), 6 / 7), atol=1e-6)


def test_a_threshold_that_nothing_passes_changes_nothing():
    given = toy_problem()
    assert not changed(state_of(given.original), Ssd(Ssd.Config(alpha=1e9)).unlearn(given))


def test_no_weight_grows_or_turns():
    given = toy_problem()
    model = Ssd(Ssd.Config(alpha=0.5)).unlearn(given)
    assert changed(state_of(given.original), model)
    for before, after in zip(given.original.parameters(), model.parameters(), strict=True):
        assert (after.abs() <= before.abs()).all() and (after * before >= 0).all()
