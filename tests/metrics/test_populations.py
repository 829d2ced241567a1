"""What is said of populations of models: how sure they are, and how far other training seeds would lead."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from mmulbench.errors import Diverged
from mmulbench.metrics.populations import CLIP, Jackknifed, check_worlds, confidence, jackknife


def test_confidence_is_the_logit_of_the_probability_that_the_loss_stands_for():
    logits = np.array([-30.0, -2.0, 0.0, 3.0, 40.0])
    assert confidence(np.logaddexp(0.0, -logits)) == pytest.approx(logits)
    assert confidence(np.array([0.0, 1e4])).tolist() == [CLIP, -CLIP]


def test_the_jackknife_of_a_mean_is_the_usual_interval():
    x = np.random.default_rng(0).normal(size=9)
    found = jackknife(lambda rows: {"mean": float(x[rows].mean())}, 9)["mean"]
    half = student.ppf(0.975, 8) * x.std(ddof=1) / 3
    assert found == pytest.approx((x.mean(), x.mean() - half, x.mean() + half))


def test_there_is_no_interval_of_three_models_or_where_none_is_asked_for():
    asked: list[int] = []

    def statistic(rows):
        asked.append(len(rows))
        return {"count": float(len(rows))}

    assert jackknife(statistic, 3) == {"count": Jackknifed(3.0)}
    assert jackknife(statistic, 9, intervals=False) == {"count": Jackknifed(9.0)}
    assert asked == [3, 9]
    assert jackknife(statistic, 4)["count"] == (4.0, 4.0, 4.0)


def test_an_interval_ends_where_the_measure_does():
    assert Jackknifed(0.9, 0.7, 1.1).within(0.0, 1.0) == (0.9, 0.7, 1.0)
    assert Jackknifed(0.1, -0.1, 0.3).within(0.0, 1.0) == (0.1, 0.0, 0.3)
    assert Jackknifed(0.1).within(0.0, 1.0) == (0.1, None, None)


@pytest.mark.parametrize(
    "shapes", [[(2, 5), (2, 5)], [(3, 5), (3, 4)], [(3, 5), (4, 5)], [(3, 0), (3, 0)], [(3,), (3,)]]
)
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="of the same k models and n pairs, with k at least 3"):
        check_worlds(*map(np.zeros, shapes))


def test_nan_is_divergence():
    broken = np.zeros((3, 4))
    broken[2, 3] = np.nan
    with pytest.raises(Diverged, match="NaN"):
        check_worlds(np.zeros((3, 4)), broken)
