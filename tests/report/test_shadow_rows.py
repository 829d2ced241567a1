"""What an attacker with shadow models tells of a row, over seeds and paths."""

from __future__ import annotations

import pytest

from mmulbench.report.aggregate import MethodRow
from mmulbench.report.shadow_rows import OverModels, over_models, strongest
from mmulbench.report.standing import ShadowAttack


def row(*records) -> MethodRow:
    return MethodRow("mmul", "mmul", records)


def attacked(record, seed, shadows=15, **by_path):
    """A record whose interval is .03 to each side, with retrain at chance."""
    values = {
        f"u_lira/{path}{part}": {"value": auc, "retrain": 0.5, "low": auc - 0.03, "high": auc + 0.03}
        for path, auc in by_path.items()
        for part in ("", "/forget")
    }
    return record("mmul", seed, values, shadows=shadows)


def test_the_path_where_it_tells_most_counts(record):
    found = strongest(row(attacked(record, 42, contrastive=0.7, matching=0.6)))
    assert found == ShadowAttack("contrastive", 15, (42,), 0.7, pytest.approx(0.67), pytest.approx(0.73), 0.5)


def test_over_seeds_it_is_the_mean_and_the_interval_is_narrower(record):
    found = over_models(
        row(attacked(record, 1, matching=0.6), attacked(record, 2, matching=0.8)), "u_lira/matching"
    )
    half = 0.03 / 2**0.5
    assert found is not None
    assert tuple(found) == pytest.approx((0.7, 0.7 - half, 0.7 + half))


def test_an_interval_that_a_seed_lacks_is_not_made_up(record):
    values = {"u_lira/matching": {"value": 0.8, "retrain": 0.5}}
    both = row(attacked(record, 1, matching=0.6), record("mmul", 2, values, shadows=15))
    assert over_models(both, "u_lira/matching") == OverModels(pytest.approx(0.7), None, None)
    assert over_models(both, "u_lira/contrastive") is None


def test_of_seeds_with_unlike_numbers_of_models_those_with_most_count(record):
    found = strongest(row(attacked(record, 1, matching=0.9, shadows=3), attacked(record, 2, matching=0.6)))
    assert found is not None
    assert (found.models, found.seeds, found.mean) == (15, (2,), 0.6)


def test_without_shadow_models_nothing_is_said(record):
    assert strongest(row(record("mmul", 42, {"mia/matching": 0.6}))) is None
    assert strongest(row(record("mmul", 42, {"lira/matching": 0.6}, shadows=15))) is None
    assert strongest(row()) is None
