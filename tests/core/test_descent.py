"""What the base classes of methods promise that descend, to methods of the old form as well."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
from toys import changed, state_of, toy_problem

from mmulbench.core.descent import DescentConfig, GradientConfig, GradientMethod, OneSetMethod
from mmulbench.core.method import Method
from mmulbench.core.training import Recipe


class Impatient(OneSetMethod):
    """Ascends; declares neither the type of its settings nor a base of them, as methods once did."""

    reads = "retain"

    @dataclass(frozen=True)
    class Config:
        epochs: int = 9
        lr: float = 0.01
        batch_size: int = 4

    def loss(self, model, batch, problem):
        return -model(batch).loss


class Patient(Impatient):
    """Has a patience besides."""

    @dataclass(frozen=True)
    class Config:
        epochs: int = 9
        lr: float = 0.01
        batch_size: int = 4
        patience: int = 2


class Weighted(GradientMethod):
    """Declares the type of its settings."""

    @dataclass(frozen=True)
    class Config(GradientConfig):
        weight: float = 0.1

    config: Config

    def loss(self, model, forget, retain, problem):
        return model(retain).loss - self.config.weight * model(forget).loss


def steps_of(method: Method) -> int:
    problem = toy_problem()
    method.unlearn(problem)
    return problem.meter.cost().steps


def test_settings_are_the_default_ones_or_those_given():
    assert Weighted().config == Weighted.Config(weight=0.1)
    assert Weighted(Weighted.Config(weight=0.5)).config.weight == 0.5


def test_settings_shared_by_all_come_first_and_in_one_order():
    assert [field.name for field in fields(DescentConfig)] == ["epochs", "lr", "batch_size"]
    assert [field.name for field in fields(Weighted.Config)] == [
        "epochs",
        "lr",
        "batch_size",
        "patience",
        "weight",
    ]


def test_patience_is_heeded_wherever_settings_have_it():
    steps = steps_of(Impatient())
    assert steps == 9
    assert steps_of(Patient()) == 3  # every epoch is worse: one is kept, two more use the patience up


@pytest.mark.parametrize("method", [Impatient(), Weighted(Weighted.Config(epochs=1))])
def test_descending_leaves_the_original_and_moves_a_copy(method):
    problem = toy_problem()
    before = state_of(problem.original)
    model = method.unlearn(problem)
    assert not changed(before, problem.original)
    assert changed(before, model) and not model.training


@pytest.mark.parametrize("batch_size", [0, 2, 4])
def test_a_methods_steps_are_of_the_size_asked_for(batch_size):
    problem = toy_problem(recipe=Recipe(batch_size=2))
    Weighted(Weighted.Config(epochs=1, batch_size=batch_size)).unlearn(problem)
    assert problem.meter.cost().steps == problem.retain.steps(batch_size or 2)
