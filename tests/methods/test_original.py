from __future__ import annotations

from toys import changed, state_of, toy_problem

from mmulbench.methods.original import Original


def test_weights_are_the_originals_in_another_object():
    problem = toy_problem()
    model = Original().unlearn(problem)
    assert model is not problem.original
    assert not changed(state_of(problem.original), model)


def test_costs_nothing():
    problem = toy_problem()
    with problem.meter:
        Original().unlearn(problem)
    cost = problem.meter.cost()
    assert (cost.steps, cost.samples, cost.flops) == (0, 0, 0)
