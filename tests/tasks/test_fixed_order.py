"""An order is as good as random, and always the same."""

from __future__ import annotations

from mmulbench.tasks._relations.fixed_order import shuffled


def test_an_order_is_fixed_and_has_a_name():
    assert shuffled(range(6), "x") == shuffled([5, 4, 3, 2, 1, 0], "x") != shuffled(range(6), "y")
    assert shuffled(range(6), "x") != list(range(6))
