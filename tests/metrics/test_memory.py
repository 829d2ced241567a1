"""What losses say of pairs that were seen or were not; and how often they are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from mmulbench.errors import Diverged
from mmulbench.metrics.memory import LEVEL, LIMIT, auc_of_units, memory
from mmulbench.metrics.separation import exact_auc

UNITS = {"retain": 20, "test": 20}


def drawn(rng, forget: int, shift=0.0, pairs: int = 3, **shifts):
    """Losses of pairs of which those of a unit are alike, moved by set."""
    losses, units = {}, {}
    for name, count in {"forget": forget, **UNITS}.items():
        of_unit = np.repeat(rng.normal(size=count), pairs)
        losses[name] = of_unit + rng.normal(size=of_unit.size) + {"forget": shift, **shifts}.get(name, 0.0)
        units[name] = np.repeat(np.arange(count), pairs)
    return losses, units


def test_the_value_is_the_auc_of_pairs():
    losses, units = drawn(np.random.default_rng(0), 7, -1.0)
    auc = auc_of_units(losses["forget"], units["forget"], losses["test"], units["test"])
    assert auc.value == exact_auc(losses["forget"], losses["test"])
    assert 0 <= auc.low < auc.value < auc.high <= 1


def test_the_interval_of_single_pairs_is_that_of_delong():
    rng = np.random.default_rng(1)
    lower, higher = rng.normal(size=40), rng.normal(size=60)
    auc = auc_of_units(lower, np.arange(40), higher, np.arange(60))
    wins = (lower[:, None] < higher).astype(float)
    parts = wins.mean(1).var(ddof=1) / 40, wins.mean(0).var(ddof=1) / 60
    half = t.ppf((1 + LEVEL) / 2, 39) * np.sqrt(sum(parts))
    assert auc.low == pytest.approx(wins.mean() - half) and auc.high == pytest.approx(wins.mean() + half)


def test_pairs_of_a_unit_count_as_one():
    rng = np.random.default_rng(2)
    lower, higher = rng.normal(size=10), rng.normal(size=12)
    once = auc_of_units(lower, np.arange(10), higher, np.arange(12))
    again = auc_of_units(np.repeat(lower, 5), np.repeat(np.arange(10), 5), higher, np.arange(12))
    assert np.allclose(once, again)


@pytest.mark.parametrize(("lower", "higher"), [(1, 500), (500, 1), (2, 4), (3, 6)])
def test_so_few_units_show_nothing(lower, higher):
    found = auc_of_units(np.zeros(lower), np.arange(lower), np.ones(higher), np.arange(higher))
    assert found == (1.0, 0.0, 1.0)


def test_a_few_more_show_what_is_plain():
    assert auc_of_units(np.zeros(5), np.arange(5), np.ones(6), np.arange(6)).low == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("forget", [2, 4, 8, 32])
def test_what_was_not_seen_is_taken_for_seen_at_most_as_often_as_said(forget):
    rng = np.random.default_rng(forget)
    draws = [memory(*drawn(rng, forget)) for _ in range(600)]
    assert sum(one.is_seen for one in draws) <= 3  # what is said, .5 %; the limit of .6 makes it fewer
    assert np.mean([one.forget.low > 0.5 for one in draws]) < 0.012  # two standard errors above .5 %
    assert np.mean([one.forget.high < 0.5 for one in draws]) < 0.012


@pytest.mark.parametrize("forget", [1, 2, 8, 32])
def test_a_model_that_saw_everything(forget):
    rng = np.random.default_rng(3)
    found = memory(*drawn(rng, forget, -4.0, retain=-4.0))
    assert found.is_seen
    assert found.shows_forget_set == (forget > 2) and found.shows_training_set


def test_a_model_that_saw_the_forget_set_alone():
    found = memory(*drawn(np.random.default_rng(4), 16, -4.0))
    assert found.shows_forget_set and not found.shows_training_set and found.is_seen


def test_a_model_that_saw_the_retain_set_alone():
    """It is welcome where the forget units are enough to show it."""
    rng = np.random.default_rng(5)
    assert not memory(*drawn(rng, 16, retain=-4.0)).is_seen
    one = memory(*drawn(rng, 1, retain=-4.0))
    assert one.is_seen and not one.shows_forget_set


def test_a_little_more_than_chance_is_not_enough():
    """Pairs of another kind have other losses, without any memory."""
    rng = np.random.default_rng(6)
    losses = {name: rng.normal(size=3000) for name in ("forget", "retain", "test")}
    losses["test"] += 0.25
    found = memory(losses, {name: np.arange(3000) for name in losses})
    assert 0.53 < found.forget.low < LIMIT and not found.is_seen


def test_what_is_no_number_is_refused():
    with pytest.raises(Diverged, match="1 of 2"):
        auc_of_units(np.array([0.0, np.nan]), np.arange(2), np.zeros(2), np.arange(2))
