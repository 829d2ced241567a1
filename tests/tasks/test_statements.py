"""Statements are chosen so that their words do not tell their truth."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mmulbench.tasks._pictures.statements import Statement, balanced_choice


def test_a_balanced_choice_prefers_what_was_said_the_other_way_round():
    tally = Counter({"a": 2, "b": -1})
    candidates = [Statement("a", True), Statement("b", True), Statement("c", False)]
    chosen = balanced_choice(candidates, 1, tally, np.random.default_rng(0))
    assert chosen == [("b", True), ("c", False)]
    assert tally == {"a": 2, "b": 0, "c": -1}
