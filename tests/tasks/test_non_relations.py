"""Non-relations are as popular as relations."""

from __future__ import annotations

import numpy as np

from mmulbench.tasks._relations.non_relations import non_relations


def test_non_relations_are_as_many_as_can_be():
    everything = lambda left, right: True  # noqa: E731
    relations = np.array([(i, j) for i in range(6) for j in range(i, i + 3)])
    known = {*map(tuple, relations.tolist())}
    found = non_relations(relations, lambda left, right: (left, right) not in known, "x")
    assert {*map(tuple, found.tolist())} & known == set() and len(found) == len(relations)
    assert np.array_equal(np.sort(found[:, 1]), np.sort(relations[:, 1]))
    assert np.array_equal(np.sort(found[:, 0]), np.sort(relations[:, 0]))
    assert len(non_relations(relations, lambda left, right: False, "x")) == 0
    assert len(non_relations(relations, everything, "x")) == len(relations)
    assert not np.array_equal(
        non_relations(relations, everything, "y"), non_relations(relations, everything, "x")
    )
