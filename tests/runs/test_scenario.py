"""A forget set with a seed: its models are made once, its problem is the method's own."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import state_of

from mmulbench.core.forget_set import ForgetSet
from mmulbench.runs.scenario import Scenario

SEED = 42


@pytest.fixture(scope="module")
def scenario(emoji):
    return Scenario(emoji, ForgetSet(emoji.task.forget_units(emoji.data, 4, SEED)), SEED)


def test_the_original_is_loaded_once_and_another_seed_has_another(scenario, original):
    found = scenario.original()
    assert scenario.original() is found
    assert all(torch.equal(value, state_of(original)[name]) for name, value in state_of(found.model).items())
    other = replace(scenario, seed=1).original()
    assert any(
        not torch.equal(value, state_of(other.model)[name]) for name, value in state_of(original).items()
    )


def test_a_problem_holds_the_forget_set_and_what_remains(scenario):
    problem = scenario.problem()
    forget, retain = (set(pairs.split.units.tolist()) for pairs in (problem.forget, problem.retain))
    assert forget == set(scenario.forget.units.tolist())
    assert not forget & retain
    assert forget | retain == set(scenario.prepared.data.train.units.tolist())


def test_a_problem_may_be_given_another_original(scenario):
    own = copy.deepcopy(scenario.original().model)
    assert scenario.problem(own).original is own
    assert scenario.problem().original is scenario.original().model


def test_sampled_sets_hold_a_part_of_the_retain_set(scenario):
    whole, sampled = scenario.sets.splits, scenario.sampled_sets.splits
    assert set(sampled["retain"].units) < set(whole["retain"].units)
    assert len(sampled["retain"].units) == len(whole["test"].units)
    for name in ("test", "forget"):
        assert np.array_equal(sampled[name].first, whole[name].first)
