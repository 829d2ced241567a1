from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from toys import changed, state_of

from mmulbench.core.data import Features
from mmulbench.methods.retrain import Retrain
from mmulbench.runs.references import fresh_model, load_original


def poisoned(emoji, units):
    pixels = emoji.features.arrays["image"]["pixels"].clone()
    pixels[torch.from_numpy(units)] = 255 - pixels[torch.from_numpy(units)]
    arrays = {**emoji.features.arrays, "image": {"pixels": pixels}}
    return replace(emoji, features=Features(arrays, emoji.features.device))


def test_trains_on_the_retain_set_only(emoji, make_problem):
    clean = make_problem()
    forget, retain = clean.forget.split.units, clean.retain.split.units
    expected = state_of(Retrain().unlearn(clean))
    assert not changed(expected, Retrain().unlearn(make_problem(prepared=poisoned(emoji, forget))))
    assert changed(expected, Retrain().unlearn(make_problem(prepared=poisoned(emoji, retain[:1]))))


def test_starts_where_the_original_started(emoji, make_problem, original):
    problem = make_problem()
    start = fresh_model(emoji, problem.seed)
    assert not changed(state_of(problem.fresh_model(problem.seed)), start)
    assert changed(state_of(original), start)


def test_with_nothing_forgotten_it_is_the_original(emoji, make_problem, original):
    problem = make_problem()
    everything = replace(problem, retain=emoji.pairs(emoji.data.train))
    assert not changed(state_of(original), Retrain().unlearn(everything))


@pytest.mark.parametrize("seed", [1, 2])
def test_seeds_give_different_originals(seed, emoji, original):
    other = load_original(emoji, seed)
    assert changed(state_of(original), other.model)
    assert other.cost.samples == len(emoji.data.train.units) * emoji.recipe.epochs
