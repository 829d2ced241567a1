"""What an attacker with shadow models tells of a row, over seeds and paths."""

from __future__ import annotations

import pytest

from mmulbench.report.aggregate import MethodRow
from mmulbench.report.shadow_rows import OverModels, over_models, strongest
from mmulbench.report.standing import ShadowAttack


def row(*records) -> MethodRow:
    return MethodRow("mmul", "mmul", records)


def attacked(record, seed, shadows=15, **by_path):
    """A record whose interval is .03 to each side; the control is .1 above chance."""
    values = {
        f"u_lira/{path}{part}": {"value": auc, "retrain": 0.5, "low": auc - 0.03, "high": auc + 0.03}
        for path, forget in by_path.items()
        for part, auc in (("", 0.99), ("/forget", forget), ("/test", 0.6))
    }
    return record("mmul", seed, values, shadows=shadows)


def test_the_path_where_deleted_pairs_tell_most_beyond_test_pairs_counts(record):
    found = strongest(row(attacked(record, 42, contrastive=0.8, matching=0.7)))
    assert found == ShadowAttack("contrastive", 15, (42,), 0.8, 0.8 - 0.03, 0.8 + 0.03, 0.6)
    changed = {"u_lira/contrastive/test": {"value": 0.79}}
    one = attacked(record, 42, contrastive=0.8, matching=0.7)
    other = record("mmul", 42, changed).values | {
        name: one.values[name] for name in one.values if "test" not in name
    }
    other |= {"u_lira/matching/test": one.values["u_lira/matching/test"]}
    found = strongest(row(one.model_copy(update={"values": other})))
    assert found is not None and (found.path, found.forget, found.test) == ("matching", 0.7, 0.6)


def test_over_seeds_it_is_the_mean_and_the_interval_is_narrower(record):
    found = over_models(
        row(attacked(record, 1, matching=0.6), attacked(record, 2, matching=0.8)), "u_lira/matching/forget"
    )
    half = 0.03 / 2**0.5
    assert found is not None
    assert tuple(found) == pytest.approx((0.7, 0.7 - half, 0.7 + half))


def test_an_interval_that_a_seed_lacks_is_not_made_up(record):
    values = {"u_lira/matching/forget": {"value": 0.8, "retrain": 0.5}}
    both = row(attacked(record, 1, matching=0.6), record("mmul", 2, values, shadows=15))
    assert over_models(both, "u_lira/matching/forget") == OverModels((0.6 + 0.8) / 2, None, None)
    assert over_models(both, "u_lira/contrastive/forget") is None


def test_of_seeds_with_unlike_numbers_of_models_those_with_most_count(record):
    found = strongest(row(attacked(record, 1, matching=0.9, shadows=3), attacked(record, 2, matching=0.6)))
    assert found is not None
    assert (found.models, found.seeds, found.forget) == (15, (2,), 0.6)


def test_without_shadow_models_nothing_is_said(record):
    assert strongest(row(record("mmul", 42, {"mia/matching": 0.6}))) is None
    assert (
        strongest(
            row(record("mmul", 42, {"lira/matching/test": 0.6, "u_lira/matching/test": 0.6}, shadows=15))
        )
        is None
    )
    assert strongest(row()) is None
