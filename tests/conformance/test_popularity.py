"""Frequent texts answer as often as their frequency says; without any, chance is met."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.conformance.popularity import popularity_recall
from mmulbench.core.data import Split

ONE_EACH = Split(np.arange(30), np.arange(30))


def test_texts_of_their_own_are_found_by_chance():
    asked = Split(np.arange(30, 60), np.arange(30, 60))
    found = popularity_recall(ONE_EACH, asked, np.arange(30, 60))
    assert found == pytest.approx((1 / 3, 1 / 3))


def test_a_text_that_all_share_answers_all():
    base = Split(np.arange(40), np.append(np.zeros(30, dtype=np.int64), np.arange(1, 11)))
    asked = Split(
        np.repeat(np.arange(40, 60), 2), np.stack([np.zeros(20), np.arange(20, 40)], 1).ravel().astype(int)
    )
    found = popularity_recall(base, asked, np.arange(60))
    assert found.recall == 1.0 and found.chance == pytest.approx(1 - 50 * 49 / (60 * 59))
