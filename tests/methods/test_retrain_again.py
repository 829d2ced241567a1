from __future__ import annotations

from dataclasses import replace

import pytest
from toys import changed, state_of

from mmulbench.core.registry import METHODS
from mmulbench.core.search_space import search_space
from mmulbench.errors import UsageError
from mmulbench.methods.retrain import Retrain
from mmulbench.methods.retrain_again import RetrainAgain
from mmulbench.runs.references import fresh_model
from mmulbench.setting_values import Overrides


def again(problem, draw: int):
    return RetrainAgain(RetrainAgain.Config(draw=draw)).unlearn(problem)


def test_every_draw_is_another_retrain(make_problem):
    retrain = state_of(Retrain().unlearn(make_problem()))
    first, second = (again(make_problem(), draw) for draw in (1, 2))
    assert changed(retrain, first) and changed(retrain, second) and changed(state_of(first), second)
    assert not changed(state_of(first), again(make_problem(), 1))


def test_a_runs_seed_makes_the_draw_another(make_problem):
    problem = make_problem()
    assert changed(state_of(again(problem, 1)), again(replace(make_problem(), seed=1), 1))


def test_initial_weights_are_others_too(emoji, make_problem):
    seeds, problem = [], make_problem()

    def spied(seed: int):
        seeds.append(seed)
        return fresh_model(emoji, seed)

    again(replace(problem, fresh_model=spied), 1)
    (seed,) = seeds
    assert seed != problem.seed
    assert changed(state_of(fresh_model(emoji, seed)), fresh_model(emoji, problem.seed))


def test_it_costs_what_retraining_costs(make_problem):
    costs = []
    for method in (Retrain(), RetrainAgain()):
        problem = make_problem()
        with problem.meter:
            method.unlearn(problem)
        costs.append(problem.meter.cost())
    assert costs[0].steps == costs[1].steps > 0
    assert costs[0].samples == costs[1].samples
    # Texts differ in length, and of few pairs the draw decides how many tokens are fused.
    assert costs[0].flops == pytest.approx(costs[1].flops, rel=0.5)


def test_draws_are_counted_from_1():
    with pytest.raises(UsageError, match="draw=0: input should be greater than or equal to 1"):
        Overrides(["draw=0"], ["retrain_again"]).method("retrain_again", RetrainAgain.Config())


def test_it_is_the_only_noise_floor_and_nothing_of_it_is_tuned():
    assert [name for name in METHODS.names() if METHODS.get(name).is_noise_floor] == ["retrain_again"]
    assert not search_space(RetrainAgain.Config) and not RetrainAgain.is_reference
