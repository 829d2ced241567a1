"""Real methods, judged on real held-out pairs of a tiny model."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mmulbench.core.registry import METHODS
from mmulbench.errors import Diverged, OverBudget
from mmulbench.tuning.judge import Judge, make_judge


@pytest.fixture(scope="module")
def judge(emoji) -> Judge:
    return make_judge(emoji, 2, 1, 0.5)


def test_the_judged_half_cannot_be_reached_from_the_problem(judge):
    units = set(judge.sets.splits["test"].units.tolist())
    held = judge.scenario.prepared
    assert units and not units & set(held.pairs(held.data.validation).split.units)
    assert not units & set(held.data.train.units)


def test_retrain_is_at_no_distance_and_the_limit_is_what_was_asked(judge):
    retrain = METHODS.get("retrain")()
    generous = replace(judge, limit=math.inf)
    assert generous.distance(retrain) == 0.0
    with pytest.raises(OverBudget, match="allowed floating-point operations"):
        judge.distance(retrain)
    assert generous.cost(retrain) == pytest.approx(2 * judge.limit)
    with pytest.raises(OverBudget):
        judge.cost(retrain)


def test_to_do_nothing_is_what_the_original_comes_to(judge):
    original = METHODS.get("original")()
    assert 0.0 < judge.do_nothing == judge.distance(original) <= 1.0


def test_every_further_epoch_costs_as_much_as_the_second(judge, quick_method):
    generous = replace(judge, limit=math.inf)
    for name in ("grad_diff", "mmul"):
        costs = [generous.cost(quick_method(name, epochs=epochs)) for epochs in (1, 2, 5)]
        assert costs[2] == pytest.approx(costs[1] + 3 * (costs[1] - costs[0]))


def test_a_diverging_configuration(judge, quick_method):
    wild = quick_method("gradient_ascent", lr=1e30)
    with pytest.raises(Diverged):
        replace(judge, limit=math.inf).distance(wild)
