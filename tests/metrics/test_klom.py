"""KLOM by hand, and what it is of models that are alike."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged
from mmulbench.metrics.klom import klom, klom_excess
from mmulbench.metrics.populations import CLIP


def drawn(seed, mean=0.0, models=12, pairs=200):
    level = np.random.default_rng(7).normal(scale=5.0, size=pairs)
    return level + mean + np.random.default_rng(seed).normal(size=(models, pairs))


RETRAINED, AGAIN = drawn(1), drawn(2)


def test_klom_by_hand():
    # Twenty bins from 0 to 20: in the first are three of four unlearned models and two of four retrains.
    unlearned = np.array([[0.0], [0.0], [0.5], [20.0]])
    retrained = np.array([[0.0], [0.5], [20.0], [7.0]])
    (found,) = klom(unlearned, retrained)
    assert found == pytest.approx(0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.25))
    apart = klom(np.zeros((4, 1)), np.ones((4, 1)))
    assert apart == pytest.approx([np.log(1 / 1e-5)])


def test_every_pair_has_its_own_bins():
    both = klom(np.hstack([drawn(3), RETRAINED]), np.hstack([RETRAINED, AGAIN]))
    assert both == pytest.approx(np.concatenate([klom(drawn(3), RETRAINED), klom(RETRAINED, AGAIN)]))


def test_klom_of_equal_models_is_nothing():
    assert klom(RETRAINED, RETRAINED) == pytest.approx(np.zeros(200))
    assert klom(np.ones((3, 2)), np.ones((3, 2))) == pytest.approx([0.0, 0.0])


def test_klom_beyond_the_clip_is_one_bin():
    far = np.full((4, 1), 5 * CLIP)
    assert klom(far, far * 2) == pytest.approx([0.0])


def test_the_excess_is_over_that_of_other_retrained_models():
    unlearned = drawn(3, mean=1.0)
    found = klom_excess(unlearned, RETRAINED, AGAIN)
    assert klom(AGAIN, RETRAINED).mean() > 1.0  # twelve models in twenty bins
    assert found.value == pytest.approx(klom(unlearned, RETRAINED).mean() - klom(AGAIN, RETRAINED).mean())
    assert found.low is not None and found.high is not None
    assert found.low < found.value < found.high
    assert klom_excess(AGAIN, RETRAINED, AGAIN) == (0.0, 0.0, 0.0)
    assert klom_excess(unlearned, RETRAINED, AGAIN, intervals=False).low is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="k at least 3"):
        klom(drawn(1, models=2), drawn(2, models=2))
    with pytest.raises(ValueError, match="of the same k models"):
        klom_excess(RETRAINED, RETRAINED, drawn(2, models=9))
    with pytest.raises(Diverged, match="NaN"):
        klom_excess(RETRAINED, RETRAINED, np.full_like(AGAIN, np.nan))
