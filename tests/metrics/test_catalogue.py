"""The catalogue has every built-in metric, in the order of tables."""

from __future__ import annotations

from mmulbench.core.registry import METRICS
from mmulbench.metrics.catalogue import (
    ORDER,
    all_metrics,
    headline_metrics,
    recovery_metrics,
    shadow_metrics,
    with_role,
)


def test_the_order_names_every_built_in_metric():
    assert sorted(ORDER) == METRICS.names()
    assert [metric.name for metric in all_metrics()] == [*ORDER]


def test_tables_show_what_has_a_headline():
    shown = [metric.name for metric in (*headline_metrics(), *shadow_metrics(), *recovery_metrics())]
    assert shown == [name for name in ORDER if METRICS.get(name).has_headline]


def test_every_use_has_its_metric():
    assert [metric.name for metric in with_role("forgetting")] == ["mia"]
    assert [metric.name for metric in with_role("utility")] == ["test", "retain"]
    assert [metric.name for metric in with_role("distance")] == ["retrain_gap"]
