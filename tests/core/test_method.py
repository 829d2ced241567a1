"""What the contract of methods and the problem they are given promise."""

from __future__ import annotations

from dataclasses import fields, replace

from toys import Toy, changed, state_of, toy_problem

from mmulbench.core.method import Method
from mmulbench.core.search_space import NoSettings
from mmulbench.core.training import Recipe


class Copy(Method):
    """Has no settings of its own."""

    def unlearn(self, problem):
        return problem.copy_of_original()


def test_a_method_without_settings_has_empty_ones():
    assert Copy().config == NoSettings()
    assert not fields(Copy.Config)


def sizes(batches):
    return [tuple(len(batch) for batch in item) for item in batches]


def test_0_stands_for_the_recipes_batch_size():
    problem = toy_problem(recipe=Recipe(batch_size=3))
    assert (problem.batch_size(0), problem.batch_size(2)) == (3, 2)
    for epochs in (problem.forget_epochs, problem.retain_epochs, problem.paired_epochs):
        assert sizes(epochs(2, 0)) == sizes(epochs(2, 3)) != sizes(epochs(2, 2))


def test_validation_loss_is_of_the_recipes_batches():
    seen = []
    problem = toy_problem(recipe=Recipe(batch_size=2))
    model = problem.copy_of_original()
    model.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    problem.mean_loss(model, problem.retain)
    assert seen == [2, 2]


def test_training_from_scratch_by_another_seed_begins_and_goes_on_otherwise():
    seeds = []

    def fresh(seed: int) -> Toy:
        seeds.append(seed)
        return Toy()

    problem = replace(toy_problem(), fresh_model=fresh)
    own, same, other = (problem.train_from_scratch(problem.retain, seed) for seed in (None, 0, 1))
    assert seeds == [0, 0, 1]
    assert not changed(state_of(own), same)
    assert changed(state_of(own), other), "the same initial weights, another order"
