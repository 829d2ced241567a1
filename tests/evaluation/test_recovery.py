"""Every model is trained again alike, on half of the forget set, and stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmulbench.core.forget_set import ForgetSet
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.measure import measure_losses
from mmulbench.evaluation.recovery import Relearning, relearned_losses, units_to_show
from mmulbench.progress import Progress
from mmulbench.runs.measurements import evaluation_sets

STEPS = (0, 1, 3)
UNITS = np.array([7, 2, 9, 4, 5])


@pytest.fixture(scope="module")
def relearning(emoji):
    train = emoji.data.train
    forget = ForgetSet(train.units[:4]).forgotten(train)
    sets = evaluation_sets(emoji, forget, forget)
    sets = replace(sets, splits={"forget": forget, "test": emoji.data.test.only(emoji.data.test.units[:4])})
    pairs = emoji.pairs(forget.only(units_to_show(forget.units, 42)), "pair")
    return Relearning(pairs, sets, replace(emoji.recipe, batch_size=8), 42)


@pytest.fixture(scope="module")
def learned(original, relearning):
    return relearned_losses(original, relearning, STEPS, Progress())


def test_half_of_the_units_are_shown_whatever_their_order():
    shown = units_to_show(UNITS, 42)
    assert len(shown) == 2 and set(shown) < set(UNITS)
    assert np.array_equal(shown, units_to_show(UNITS[::-1], 42))
    assert any(not np.array_equal(shown, units_to_show(UNITS, seed)) for seed in (1, 2, 3))


def test_one_unit_cannot_be_divided():
    with pytest.raises(
        NotApplicable, match="at least 2 forget units, half of which are held out, there is 1"
    ):
        units_to_show(UNITS[:1], 42)


def test_step_0_is_the_model_itself(original, relearning, learned):
    before = measure_losses(original, relearning.sets, Progress())
    assert tuple(learned) == STEPS
    for path, by_set in before.items():
        assert all(np.array_equal(learned[0][path][name], loss) for name, loss in by_set.items())


def test_what_is_trained_on_is_learnt(relearning, learned):
    forget = relearning.sets.splits["forget"]
    shown = np.isin(forget.first, relearning.pairs.split.units)
    before, after = (learned[step]["contrastive"]["forget"][shown].mean() for step in (0, 3))
    assert after < before


def test_the_same_again_and_nothing_outside_is_touched(original, relearning, learned):
    weights = {name: value.clone() for name, value in original.state_dict().items()}
    torch.manual_seed(5)
    np.random.seed(5)
    states = torch.get_rng_state(), np.random.get_state()[1]
    again = relearned_losses(original, relearning, STEPS, Progress())
    for step, by_path in learned.items():
        for path, by_set in by_path.items():
            assert all(np.array_equal(again[step][path][name], loss) for name, loss in by_set.items())
    assert torch.equal(states[0], torch.get_rng_state()) and np.array_equal(
        states[1], np.random.get_state()[1]
    )
    assert all(torch.equal(value, weights[name]) for name, value in original.state_dict().items())
    assert not original.training and not any(one.requires_grad for one in original.parameters())
