"""What listeners are told of a training, and that the training does not notice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys import CPU, Toy, changed, state_of, toy_problem

from mmulbench.core.cost import CostMeter
from mmulbench.core.epoch_watch import watch_training
from mmulbench.core.training import Checkpoints, Learner, Recipe, fit
from mmulbench.methods.finetune import Finetune
from mmulbench.methods.scrub import Scrub
from mmulbench.progress import Progress

RECIPE = Recipe(epochs=3, lr=0.05, batch_size=2)


class Listener(Progress):
    def __init__(self, *, listens=True):
        self.listens = listens
        self.told = []

    def epoch(self, number, numbers):
        self.told.append((number, dict(numbers)))


def trained(progress, validation=None):
    problem = toy_problem()
    meter = CostMeter(CPU)
    held_out = problem.validation if validation is None else validation
    with meter:
        model = fit(Toy(), problem.retain, RECIPE, 0, meter, progress, "train", Checkpoints(), held_out)
    return model, meter.cost()


def unlearned(method, progress):
    problem = toy_problem()
    problem.progress = progress
    with problem.meter:
        model = method.unlearn(problem)
    return model, problem


def test_each_epoch_is_told_with_the_mean_of_its_losses(monkeypatch):
    losses, step = [], Learner.step

    def noted(learner, *arguments):
        step(learner, *arguments)
        losses.append(learner.loss)

    monkeypatch.setattr(Learner, "step", noted)
    listener = Listener()
    trained(listener)
    assert [number for number, _ in listener.told] == [1, 2, 3] and len(losses) == 6
    means = [(losses[at] + losses[at + 1]) / 2 for at in (0, 2, 4)]
    assert [numbers["loss"] for _, numbers in listener.told] == pytest.approx(means)
    assert all(numbers.keys() == {"loss", "validation"} for _, numbers in listener.told)


def test_a_training_that_is_watched_is_the_same():
    (plain, cost), (watched, watched_cost) = trained(Progress()), trained(Listener())
    assert not changed(state_of(plain), watched)
    timed = {"seconds", "peak_memory_mb"}
    assert cost.model_dump(exclude=timed) == watched_cost.model_dump(exclude=timed)


@pytest.mark.parametrize("method", [Finetune, Scrub])
def test_a_method_that_is_watched_is_the_same(method):
    listener = Listener()
    plain, problem = unlearned(method(), Progress())
    watched, other = unlearned(method(), listener)
    assert not changed(state_of(plain), watched)
    assert problem.meter.cost().flops == other.meter.cost().flops
    assert listener.told and all("validation" in numbers for _, numbers in listener.told)
    names = {name for _, numbers in listener.told for name in numbers} - {"validation"}
    assert names == ({"loss"} if method is Finetune else {"loss/max step", "loss/min step"})


def test_the_validation_loss_is_that_of_the_model_then():
    listener = Listener()
    model, problem = unlearned(Finetune(), listener)
    assert listener.told[-1][1]["validation"] == pytest.approx(problem.mean_loss(model, problem.validation))


def test_where_nobody_listens_nothing_is_watched():
    problem, listener = toy_problem(), Listener(listens=False)
    assert watch_training(listener, Toy(), problem.meter, problem.validation, 2, 0) is None
    unlearned(Finetune(), listener)
    assert listener.told == []


def test_without_validation_pairs_losses_are_told_alone():
    validation, listener = toy_problem().validation, Listener()
    trained(listener, replace(validation, split=validation.split.only(np.array([], dtype=np.int64))))
    assert listener.told[0][1].keys() == {"loss"}


def test_frozen_parts_stay_in_their_mode():
    problem, listener, model = toy_problem(), Listener(), Toy().train()
    model.image.eval()
    watch = watch_training(listener, model, problem.meter, problem.validation, 2, 0)
    with problem.meter:
        watch.epoch(1)
    assert not model.image.training and model.text.training and model.training
