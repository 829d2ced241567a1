from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged
from mmulbench.metrics.separation import auc_by_units, decoupling, exact_auc, histogram, placements


def naive_auc(negative, positive):
    difference = np.subtract.outer(positive, negative)
    return ((difference > 0).sum() + 0.5 * (difference == 0).sum()) / difference.size


def test_auc_matches_all_pairs_with_ties():
    rng = np.random.default_rng(0)
    negative, positive = rng.integers(0, 8, 61).astype(float), rng.integers(2, 10, 47).astype(float)
    assert exact_auc(negative, positive) == pytest.approx(naive_auc(negative, positive), abs=1e-15)


def test_auc_known_values():
    low, high = np.array([0.0, 1.0]), np.array([2.0, 3.0, 4.0])
    assert (exact_auc(low, high), exact_auc(high, low)) == (1, 0)
    assert exact_auc(np.zeros(5), np.zeros(3)) == 0.5


def test_auc_refuses_what_it_cannot_judge():
    with pytest.raises(Diverged, match="1 of 2 positive scores"):
        exact_auc(np.zeros(2), np.array([0.0, np.nan]))
    with pytest.raises(ValueError, match="negative scores have shape"):
        exact_auc(np.array([]), np.zeros(2))


def test_placements_are_each_pairs_part_of_the_auc():
    rng = np.random.default_rng(1)
    negative, positive = rng.integers(0, 8, 61).astype(float), rng.integers(2, 10, 47).astype(float)
    found = placements(negative, positive)
    assert found == pytest.approx([naive_auc(negative[i : i + 1], positive) for i in range(61)])
    assert found.mean() == pytest.approx(exact_auc(negative, positive), abs=1e-15)


def test_bootstrap_matches_a_naive_loop_over_the_same_draws():
    rng = np.random.default_rng(3)
    forget, forget_units = rng.integers(0, 9, 17).astype(float), rng.permutation(np.arange(17) % 6)
    retain, retain_units = rng.integers(1, 10, 40).astype(float), rng.permutation(np.arange(40) % 11)
    repeats = 230  # more than two blocks
    found = auc_by_units(forget, forget_units, retain, retain_units, seed=5, repeats=repeats)

    draws = [
        generator.integers(units, size=(repeats, units))
        for generator, units in zip(np.random.default_rng(5).spawn(2), (6, 11), strict=True)
    ]
    aucs = [
        naive_auc(
            np.concatenate([forget[forget_units == unit] for unit in forget_drawn]),
            np.concatenate([retain[retain_units == unit] for unit in retain_drawn]),
        )
        for forget_drawn, retain_drawn in zip(*draws, strict=True)
    ]
    assert found.value == pytest.approx(naive_auc(forget, retain), abs=1e-15)
    assert (found.low, found.high) == pytest.approx(np.quantile(aucs, [0.025, 0.975]), abs=1e-12)


def test_an_untouched_original_is_not_separable_and_the_interval_covers_that():
    """Over 150 worlds whose Df and Dr are alike, pairs of a unit correlated by .5."""
    units, others = np.repeat(np.arange(60), 5), np.repeat(np.arange(500), 5)
    found = []
    for seed in range(150):
        rng = np.random.default_rng([seed, 7])
        forget = rng.normal(size=60)[units] + rng.normal(size=units.size)
        retain = rng.normal(size=500)[others] + rng.normal(size=others.size)
        found.append(auc_by_units(forget, units, retain, others, seed=seed, repeats=200))
    assert np.mean([interval.value for interval in found]) == pytest.approx(0.5, abs=0.01)
    assert 0.86 < np.mean([interval.low <= 0.5 <= interval.high for interval in found]) < 0.99


def test_pairs_of_one_unit_are_not_counted_as_independent():
    rng = np.random.default_rng(8)
    forget, retain = np.repeat(rng.normal(size=30), 5), np.repeat(rng.normal(size=200), 5)
    clustered = auc_by_units(
        forget, np.repeat(np.arange(30), 5), retain, np.repeat(np.arange(200), 5), seed=1
    )
    pairwise = auc_by_units(forget, np.arange(150), retain, np.arange(1000), seed=1)
    assert clustered.value == pairwise.value
    assert clustered.high - clustered.low > 1.8 * (pairwise.high - pairwise.low)


def test_interval_is_reproducible_and_independent_of_pair_order_and_unit_type():
    rng = np.random.default_rng(9)
    forget, retain = rng.normal(size=40), rng.normal(0.5, 1, 90)
    units, others = np.arange(40) // 4, np.arange(90) // 3
    found = auc_by_units(forget, units, retain, others, seed=2)
    shuffled = rng.permutation(40)
    names = np.array([f"unit{number:03d}" for number in units])
    again = auc_by_units(forget[shuffled], names[shuffled], retain, others, seed=2)
    assert (again.value, again.low, again.high) == pytest.approx(
        (found.value, found.low, found.high), abs=1e-12
    )
    assert auc_by_units(forget, units, retain, others, seed=3).low != found.low


def test_scores_need_one_unit_each():
    with pytest.raises(ValueError, match="3 negative scores but negative units"):
        auc_by_units(np.zeros(3), np.arange(2), np.zeros(4), np.arange(4), seed=0)


def test_decoupling_known_values():
    rng = np.random.default_rng(11)
    same = decoupling(rng.normal(size=3000), rng.normal(size=3000))
    assert same.auc == pytest.approx(0.5, abs=0.03)
    assert same.ks < 0.05
    assert decoupling(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == (1, 1)
    assert decoupling(np.array([0.0, 1.0]), np.array([2.0, 3.0])) == (0, 1)
    assert decoupling(np.array([1.0, 2.0]), np.array([2.0, 1.0])) == (0.5, 0)


def test_histogram_counts_every_score_including_those_beyond_the_edges():
    rng = np.random.default_rng(12)
    groups: dict[str, np.ndarray] = {
        "forget": rng.normal(size=50).astype(np.float32),
        "retain": rng.normal(3, 2, size=400),
    }
    counts = histogram(groups, np.linspace(-1.0, 1.0, 8))
    assert {name: (len(c), sum(c)) for name, c in counts.items()} == {"forget": (7, 50), "retain": (7, 400)}
    assert histogram({"a": np.array([-9.0, 0.5, 1.0, 7.0])}, np.array([0.0, 0.5, 1.0])) == {"a": [1, 3]}


def test_histogram_refuses_scores_that_are_not_finite():
    with pytest.raises(Diverged):
        histogram({"retain": np.array([0.5, np.inf])}, np.array([0.0, 1.0]))
