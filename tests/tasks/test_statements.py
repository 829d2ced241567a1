"""Statements are chosen so that neither their words nor other choices tell their truth."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mmulbench.tasks._pictures.statements import Statement, fair_choice


def units(count: int, rng: np.random.Generator) -> list[list[Statement]]:
    """Thirty texts on each unit, of which the first ten are mostly true and the last ten mostly false."""
    often = np.repeat([0.8, 0.5, 0.2], 10)
    return [
        [Statement(f"text {i}", bool(true)) for i, true in enumerate(rng.random(30) < often)]
        for _ in range(count)
    ]


def test_a_text_is_as_often_true_as_false_on_average_and_not_exactly():
    chosen = fair_choice(units(1000, np.random.default_rng(0)), [3] * 1000, np.random.default_rng(1))
    truth = Counter(one.text for found in chosen for one in found if one.truth)
    false = Counter(one.text for found in chosen for one in found if not one.truth)
    spread = [(truth[text] - false[text]) ** 2 / (truth[text] + false[text]) for text in truth | false]
    assert len(spread) == 30 and 0.4 < np.mean(spread) < 2


def test_units_have_as_many_true_as_false_statements_of_their_own():
    candidates = units(40, np.random.default_rng(0))
    chosen = fair_choice(candidates, [2] * 39 + [0], np.random.default_rng(1))
    assert [sum(one.truth for one in found) for found in chosen] == [2] * 39 + [0]
    assert [len(found) for found in chosen] == [4] * 39 + [0]
    assert all({*found} <= {*own} for found, own in zip(chosen, candidates, strict=True))
    assert chosen == fair_choice(candidates, [2] * 39 + [0], np.random.default_rng(1))
