from __future__ import annotations

import numpy as np
from toys import split_of

from mmulbench.core.forget_set import ForgetSet

TRAIN = split_of((2, 0), (0, 1), (2, 3), (1, 1))


def test_whole_units_are_forgotten_with_all_their_pairs():
    forget = ForgetSet(np.array([2]))
    assert forget.forgotten(TRAIN).rows.tolist() == [0, 2]
    assert forget.kept(TRAIN).rows.tolist() == [1, 3]
    assert len(forget) == 1


def test_of_a_unit_that_stays_single_associations_are_forgotten():
    forget = ForgetSet(np.array([2]), np.array([2]))
    assert forget.forgotten(TRAIN).second.tolist() == [3]
    assert forget.kept(TRAIN).rows.tolist() == [0, 1, 3]
    assert 2 in forget.kept(TRAIN).units


def test_caches_know_a_forget_set_whatever_its_order():
    one, other = ForgetSet(np.array([1, 2])), ForgetSet(np.array([2, 1]))
    assert one.key == other.key != ForgetSet(np.array([1])).key
    some, others = ForgetSet(np.array([2]), np.array([0])), ForgetSet(np.array([2]), np.array([2]))
    assert len({tuple(forget.key.values()) for forget in (some, others, ForgetSet(np.array([2])))}) == 3
