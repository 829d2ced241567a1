"""Every model is trained again alike, on half of the forget set, and stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.metric import HEADLINE, Needs, RecoveryMetric
from mmulbench.core.observations import Estimate, PathRecovery
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.measure import measure_losses
from mmulbench.evaluation.recovery import Relearning, recovery_values, relearned_losses, units_to_show
from mmulbench.metrics.catalogue.relearn import Relearn
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


class Toy(RecoveryMetric):
    """Measures the number of steps."""

    title, direction, definition, source = "Toy", "closest_to_retrain", "toy", "my own"
    needs, chance = Needs(relearned_losses=("forget",)), 0.0

    def compute(self, recovery):
        if recovery.path == "refused":
            raise NotApplicable("not on this path")
        own, reference = (sum(one[1]["forget"]) for one in (recovery.model, recovery.retrain))
        return {HEADLINE: Estimate(own - reference, int(recovery.shown.sum()))}


SHOWN = np.array([True, False, True])


def by_steps(level, paths=("matching",)):
    return {step: {path: {"forget": np.full(3, level * step)} for path in paths} for step in (0, 1)}


def test_values_stand_beside_the_original_s_and_retrain_s():
    found = {name: by_steps(level) for name, level in {"model": 2.0, "original": 3.0, "retrain": 0.5}.items()}
    values, missing = recovery_values([Toy("toy")], found, SHOWN, ("matching",))
    assert missing == [] and list(values) == ["toy", "toy/matching"]
    value = values["toy"]
    assert (value.value, value.original, value.retrain, value.n, value.chance) == (4.5, 7.5, 0.0, 2, 0.0)


@pytest.mark.parametrize(
    ("path", "reason"), [("contrastive", "there are no validation pairs"), ("refused", "not on this path")]
)
def test_a_path_without_a_value_leaves_no_headline(path, reason):
    found = dict.fromkeys(("model", "original", "retrain"), by_steps(1.0, ("matching", "refused")))
    values, missing = recovery_values([Toy("toy")], found, SHOWN, ("matching", path))
    assert values["toy"].value is None and set(values) == {"toy", "toy/matching"}
    (line,) = missing
    assert line.startswith(f"toy: {reason}") and line.endswith(f"({path})")


LOSSES = {"test": np.array([1.0, 2.0]), "forget": np.array([0.5, 1.5, 3.0, 0.1])}
HALF = np.array([True, True, False, False])


def recovery(**changed):
    """By hand: the AUC of the shown half is 3/4, of the held-out half 1/2; retrain knows nothing."""
    nothing = {"test": LOSSES["test"], "forget": np.full(4, 9.0)}
    by_step = {"model": dict.fromkeys(STEPS_OF, LOSSES), "retrain": dict.fromkeys(STEPS_OF, nothing)}
    return PathRecovery("matching", **{**by_step, "shown": HALF, **changed})


STEPS_OF = RecoveryMetric.steps
RELEARN = Relearn("relearn")


def test_relearning_by_hand():
    found = RELEARN.compute(recovery())
    assert found[HEADLINE].value == pytest.approx((0.75 + 0.5) / 2) and found[HEADLINE].n == 6
    assert (found["shown_4"].value, found["held_out_4"].value) == (0.75, 0.5)
    assert {one.n for part, one in found.items() if part != HEADLINE} == {4}
    assert set(found) - {HEADLINE} == set(RELEARN.part_bounds)


def test_the_model_before_training_is_not_counted():
    before = {**dict.fromkeys(STEPS_OF, LOSSES), 0: {"test": LOSSES["test"], "forget": np.zeros(4)}}
    found = RELEARN.compute(recovery(model=before))
    assert found["shown_0"].value == 1.0 and found[HEADLINE].value == pytest.approx(0.625)


def test_retrain_itself_is_exactly_0():
    found = RELEARN.compute(recovery(retrain=dict.fromkeys(STEPS_OF, LOSSES)))
    assert found[HEADLINE].value == 0.0


def test_halves_must_fit():
    with pytest.raises(ValueError, match="4 forget losses, but halves of shape"):
        RELEARN.compute(recovery(shown=HALF[:3]))
