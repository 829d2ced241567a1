"""An order is as good as random, and always the same."""

from __future__ import annotations

import numpy as np

from mmulbench.tasks._relations.fixed_order import lots, shuffled


def test_an_order_is_fixed_and_has_a_name():
    assert shuffled(range(6), "x") == shuffled([5, 4, 3, 2, 1, 0], "x") != shuffled(range(6), "y")
    assert shuffled(range(6), "x") != list(range(6))


def test_lots_are_fixed_uniform_and_have_a_name():
    found = lots(4000, "x")
    assert found.shape == (4000, 2) and np.array_equal(found[:5], lots(5, "x"))
    assert found.min() >= 0 and found.max() < 1 and not np.array_equal(found, lots(4000, "y"))
    assert np.abs(found.mean(0) - 0.5).max() < 0.02 and abs(np.corrcoef(found.T)[0, 1]) < 0.05
