"""Real methods, judged on real held-out pairs of a tiny model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mmulbench.core.data import Relations
from mmulbench.core.registry import METHODS
from mmulbench.errors import Diverged, OverBudget
from mmulbench.evaluation.measure import measure
from mmulbench.evaluation.retrieval import evaluate_retrieval
from mmulbench.evaluation.values import compute_values
from mmulbench.progress import Progress
from mmulbench.runs.scenario import Scenario
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
    assert generous.distance(retrain) == (0.0, 0.0)
    with pytest.raises(OverBudget, match="allowed floating-point operations"):
        judge.distance(retrain)
    assert generous.cost(retrain) == pytest.approx(2 * judge.limit)
    with pytest.raises(OverBudget):
        judge.cost(retrain)


def test_to_do_nothing_is_what_the_original_comes_to(judge):
    original = METHODS.get("original")()
    assert 0.0 < judge.do_nothing == judge.distance(original).gap <= 1.0


@pytest.mark.slow
def test_every_further_epoch_costs_as_much_as_the_second(judge, quick_method):
    generous = replace(judge, limit=math.inf)
    for name in ("grad_diff", "mmul"):
        costs = [generous.cost(quick_method(name, epochs=epochs)) for epochs in (1, 2, 5)]
        assert costs[2] == pytest.approx(costs[1] + 3 * (costs[1] - costs[0]), rel=0.02)


def test_a_diverging_configuration(judge, quick_method):
    wild = quick_method("gradient_ascent", lr=1e30)
    with pytest.raises(Diverged):
        replace(judge, limit=math.inf).distance(wild)


@pytest.fixture(scope="module")
def record(emoji, judge) -> Scenario:
    """The same forget set on a task whose test split is the validation split."""
    held, whole = judge.scenario.prepared, emoji.data.validation
    data = replace(held.data, test=whole)
    task = replace(held, data=data, relations=Relations(data.train, whole))
    return Scenario(task, judge.scenario.forget, judge.scenario.seed)


@pytest.fixture(scope="module")
def model(judge, quick_method):
    problem = judge.scenario.problem()
    return quick_method("grad_diff", lr=3e-3).unlearn(problem)


def test_every_query_finds_what_it_finds_in_a_record(judge, record, model):
    def by_unit(sets, name):
        found = evaluate_retrieval(
            model,
            sets.splits[name],
            sets.relations,
            sets.features,
            sets.rerank,
            Progress(),
            "",
            distractors=sets.galleries.get(name),
        )
        return found.by_unit

    for name, split in judge.sets.splits.items():
        units = record.sets.splits[name].units
        place = np.searchsorted(units, split.units)
        assert np.array_equal(units[place], split.units)
        wanted = by_unit(record.sets, name)[place]
        assert np.array_equal(by_unit(judge.sets, name), wanted, equal_nan=True), name
        assert (len(split.units) < len(units)) == (name != "forget")


def test_with_all_queries_the_distance_is_that_of_a_record(judge, record, model):
    every = replace(judge.sets, splits=record.sets.splits)
    seed = judge.scenario.seed
    retrain = judge.scenario.retrain().model
    judging = replace(judge, sets=every, retrain=measure(retrain, every, seed, Progress()))
    own, original, reference = (
        measure(one, record.sets, seed, Progress())
        for one in (model, judge.scenario.original().model, retrain)
    )
    units = {name: split.first for name, split in record.sets.splits.items()}
    values, _ = compute_values(own, original, reference, units, seed)
    found = judging.distance_of(model)
    assert found.gap == values["retrain_gap"].value > 0
    losses = [
        min(values[name].retrain or 0.0, values[name].original or 0.0) - (values[name].value or 0.0)
        for name in ("test", "retain")
    ]
    assert found.lost == max(losses) != min(losses)
