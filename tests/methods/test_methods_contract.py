from __future__ import annotations

import pytest
from method_contract import MethodContract

from mmulbench.registry import METHODS

BUILT_IN = {
    *("finetune", "gradient_ascent", "mmul", "original", "retrain", "scrub"),
    *("bad_teacher", "cf_k", "delete", "eu_k", "grad_diff", "l1_sparse"),
    *("neggrad_plus", "npo", "random_label", "salun"),
}
TRAIN_ON_EMOJI = sorted(BUILT_IN - {"original", "delete"})


def test_all_methods_are_registered():
    assert set(METHODS.names()) >= BUILT_IN


@pytest.mark.parametrize("name", METHODS.names())
class TestContract(MethodContract): ...


@pytest.mark.parametrize("name", TRAIN_ON_EMOJI)
def test_what_trains_is_charged(name, quick_method, make_problem):
    problem = make_problem()
    with problem.meter:
        quick_method(name).unlearn(problem)
    cost = problem.meter.cost()
    assert cost.steps > 0 and cost.samples > 0 and cost.flops > 0


@pytest.mark.parametrize("name", METHODS.names())
def test_only_retrain_is_the_reference(name):
    assert METHODS.get(name).is_reference == (name == "retrain")
