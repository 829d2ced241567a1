from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from toys import CPU, Toy, changed, random_features, state_of, toy_features, toy_problem, whole

from mmulbench.core.cost import CostMeter
from mmulbench.core.training import Checkpoints, EarlyStop, Learner, Recipe, check_finite, fit, own_loss
from mmulbench.errors import Diverged
from mmulbench.methods.finetune import Finetune
from mmulbench.methods.gradient_ascent import GradientAscent
from mmulbench.progress import Progress

RECIPE = Recipe(epochs=3, lr=0.05, batch_size=2)


def trained(data, seed=0, meter=None, recipe=RECIPE):
    return fit(Toy(), data, recipe, seed, meter or CostMeter(CPU), Progress(), "train", Checkpoints())


def learner_of(model, parameters, lr=0.1):
    return Learner(model, parameters, lr=lr, weight_decay=0.0, meter=CostMeter(CPU))


def test_fit_learns_and_ends_in_evaluation_mode():
    data, meter = toy_problem().retain, CostMeter(CPU)
    model = trained(data, meter=meter)
    assert not model.training
    assert own_loss(model)(whole(data)).item() < own_loss(Toy())(whole(data)).item()
    assert (meter.cost().samples, meter.cost().steps) == (3 * 4, 3 * 2)


def test_fit_follows_its_seed_alone():
    data = toy_problem().retain
    torch.manual_seed(1)
    first = trained(data)
    torch.manual_seed(2)
    assert not changed(state_of(first), trained(data))
    assert changed(state_of(first), trained(data, seed=1))


def test_fit_ticks_once_a_step():
    ticks: list[Any] = []

    class Counting(Progress):
        def counter(self, total, description):
            ticks.append((total, description))
            return lambda: ticks.append("tick")

    fit(Toy(), toy_problem().retain, RECIPE, 0, CostMeter(CPU), Counting(), "train original", Checkpoints())
    assert ticks == [(6, "train original"), *["tick"] * 6]


def test_exactly_the_chosen_parameters_train():
    model, batch = Toy(), whole(toy_problem().retain)
    before = state_of(model)
    learner_of(model, [model.text.weight]).step(batch, own_loss(model), "own loss")
    assert changed(before, model) == {"text.weight"}
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {"text.weight"}
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {"text.weight"}


def test_gradients_do_not_add_up_over_steps():
    model, batch = Toy(), whole(toy_problem().retain)
    learner = learner_of(model, [model.image.weight], lr=1e-12)
    for _ in range(3):
        learner.step(batch, own_loss(model), "own loss")
    (weight,) = model.image.parameters()
    (expected,) = torch.autograd.grad(own_loss(model)(batch), [weight])
    assert weight.grad is not None and torch.allclose(weight.grad, expected)


def test_tuples_become_arguments_and_all_their_pairs_are_charged():
    given, seen = toy_problem(), []
    model = Toy()
    learner = learner_of(model, list(model.parameters()))

    def loss(forget, retain):
        seen.append((len(forget), len(retain)))
        return model(forget).loss + model(retain).loss

    learner.step((whole(given.forget), whole(given.retain)), loss, "both")
    assert seen == [(4, 8)]
    assert learner.meter.cost().samples == 12


def test_one_cycle_warms_up_to_the_peak_and_anneals_to_nothing():
    model, batch, rates = Toy(), whole(toy_problem().retain), []
    learner = learner_of(model, list(model.parameters()), lr=0.3)
    learner.one_cycle(0.3, 20)
    for _ in range(20):
        rates.append(learner.optimizer.param_groups[0]["lr"])
        learner.step(batch, own_loss(model), "own loss")
    assert max(rates) == pytest.approx(0.3)
    assert 0 < rates.index(max(rates)) < 10
    assert rates[0] < 0.3 / 20 and rates[-1] < 0.3 / 1000


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_before_the_step(value):
    model, batch = Toy(), whole(toy_problem().retain)
    before = state_of(model)
    learner = learner_of(model, list(model.parameters()))
    with pytest.raises(Diverged, match=f"the loss became {value}"):
        learner.step(batch, lambda b: own_loss(model)(b) * value, "own loss")
    assert not changed(before, model)


def test_a_loss_without_gradient_changes_nothing():
    model, batch = Toy(), whole(toy_problem().retain)
    before = state_of(model)
    learner_of(model, list(model.parameters())).step(batch, lambda b: torch.zeros(()), "none")
    assert not changed(before, model)


def test_training_on_damaged_features_diverges():
    features = toy_features([[math.nan, 0.0]] * 8, [[1.0, 0.0]] * 11)
    with pytest.raises(Diverged):
        trained(toy_problem(features=features).retain)


def test_check_finite_names_the_parameter():
    model = Toy()
    check_finite(model)
    model.fusion.weight.data[0, 1] = math.inf
    with pytest.raises(Diverged, match=r"fusion\.weight"):
        check_finite(model)


def judged(losses: list[float], patience: int) -> tuple[int, float]:
    """After how many epochs it stops, and which epoch's weights are left (0, 1, ...)."""
    model, epoch = torch.nn.Linear(1, 1), -1
    stop = EarlyStop(model, patience, lambda: losses[epoch])
    for epoch in range(len(losses)):
        model.weight.data.fill_(epoch)
        if stop.epoch_ended():
            break
    stop.restore()
    return epoch + 1, model.weight.item()


@pytest.mark.parametrize(
    ("losses", "patience", "expected"),
    [
        ([3, 2, 1], 1, (3, 2)),
        ([3, 1, 2, 0], 1, (3, 1)),
        ([3, 1, 2, 0, 5], 2, (5, 3)),
        ([3, 1, 1, 1, 0], 2, (4, 1)),
        ([1, math.nan, 2, 0], 2, (3, 0)),
        ([math.nan, math.nan], 5, (2, 1)),
        ([1, 2, 3], 0, (3, 2)),
    ],
)
def test_early_stop_goes_back_to_the_best_epoch(losses, patience, expected):
    assert judged(losses, patience) == expected


def unlearned(cls, **settings):
    problem = toy_problem()
    model = cls(cls.Config(lr=0.01, batch_size=4, **settings)).unlearn(problem)
    return model, problem.meter.cost().steps


def test_a_method_that_spoils_the_model_ends_with_its_first_epoch():
    first, steps = unlearned(GradientAscent, epochs=1)
    model, all_steps = unlearned(GradientAscent, epochs=9, patience=2)
    assert all_steps == 3 * steps
    assert not changed(state_of(first), model)


def test_patience_judges_by_validation_pairs_alone():
    """With validation texts the original cannot know, the validation loss falls and rises otherwise."""
    ends = set()
    for scale in (1.0, -3.0):
        problem = toy_problem(features=random_features(held_out_texts=scale))
        Finetune(Finetune.Config(epochs=40, lr=0.05, batch_size=4, patience=1)).unlearn(problem)
        ends.add(problem.meter.cost().steps)
    assert len(ends) == 2


def test_patience_that_never_runs_out_changes_only_the_choice_of_the_epoch():
    assert unlearned(Finetune, epochs=3)[1] == unlearned(Finetune, epochs=3, patience=99)[1]
