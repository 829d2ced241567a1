"""Counting finds a class that exact balance gives away, and nothing in labels by coins."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.conformance.counting import FITTED, CountedPairs, guesses

UNITS = 1200


def pairs(labels) -> CountedPairs:
    """Pairs whose texts are each in ten of them, in turn."""
    number = np.arange(UNITS)
    return CountedPairs({"text": number % (UNITS // 10)}, labels, number, 2)


def guess(labels) -> dict[str, float]:
    deleted = np.random.default_rng(1).permutation(UNITS)[:120]
    return guesses(pairs(labels), np.setdiff1d(np.arange(UNITS), deleted), deleted, np.random.default_rng(2))


def test_exact_balance_tells_what_is_missing():
    balanced = np.arange(UNITS) // (UNITS // 10) % 2
    found = guess(balanced)
    assert found["text"] < 0.1 and found[FITTED] > 0.9


def test_coins_tell_nothing():
    found = guess(np.random.default_rng(0).integers(0, 2, UNITS))
    assert found == pytest.approx(dict.fromkeys(found, 0.5), abs=0.15)


def test_a_prior_is_found():
    found = guess((np.random.default_rng(0).random(UNITS) < np.arange(UNITS) % 120 / 120).astype(int))
    assert found["text"] > 0.7 and found[FITTED] > 0.7


def test_a_units_own_pairs_are_not_counted():
    held = CountedPairs({"text": np.array([0, 0, 0, 1])}, np.array([1, 1, 0, 1]), np.array([0, 0, 1, 1]), 2)
    counts = held.counts(np.arange(4), np.array([0, 1, 2]))["text"]
    assert counts.tolist() == [[1, 0], [1, 0], [0, 2], [0, 0]]
