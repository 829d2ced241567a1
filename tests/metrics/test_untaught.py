"""What chance reaches, by simulation, and what is said of a path that holds next to nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.metrics.separation import exact_auc
from mmulbench.metrics.untaught import CHANCE, LEARNED, most_by_chance, untaught


@pytest.mark.parametrize(("negative", "positive"), [(30, 40), (200, 60)])
def test_chance_exceeds_the_limit_as_often_as_is_said(negative, positive):
    rng = np.random.default_rng(0)
    draws = [exact_auc(rng.normal(size=negative), rng.normal(size=positive)) for _ in range(2000)]
    above = np.mean(np.array(draws) > most_by_chance(negative, positive))
    assert above == pytest.approx(CHANCE, abs=3 * np.sqrt(CHANCE / 2000))


def test_few_scores_can_show_nothing():
    assert most_by_chance(1, 1) == 1.0
    with pytest.raises(ValueError, match="at least one of each"):
        most_by_chance(0, 5)


def test_a_path_that_learned_next_to_nothing_says_so():
    assert untaught("matching", LEARNED + 1e-9, 568, 568) is None
    assert untaught("matching", LEARNED, 568, 568) is not None
    found = untaught("matching", 0.519, 568, 568)
    assert str(found) == (
        "the original learned next to nothing on its matching path: it tells the forget set's pairs from "
        "unrelated ones with AUC 0.52, and above 0.60 counts as learned"
    )


@pytest.mark.parametrize(("pairs", "is_said"), [(45, False), (46, True)])
def test_of_few_pairs_nothing_is_said(pairs, is_said):
    assert (most_by_chance(pairs, pairs) < LEARNED) == is_said
    assert (untaught("matching", 0.5, pairs, pairs) is not None) == is_said
