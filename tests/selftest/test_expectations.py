"""The truth table says something of every metric and every planted model."""

from __future__ import annotations

import pytest

from mmulbench.metrics.catalogue import ORDER
from mmulbench.selftest.expectations import BEST, OUT, RANKS, ROWS, UTILITIES, VERDICTS, WORSE
from mmulbench.selftest.judged import ranked_keys
from mmulbench.selftest.planted import PLANTED

NAMES = {one.name for one in PLANTED}


def test_every_built_in_metric_has_a_row():
    assert {row.metric for row in ROWS} == set(ORDER)


def test_the_verdict_is_said_of_every_model():
    assert set(VERDICTS) | set(UTILITIES) == NAMES
    assert set(RANKS["retrain_gap"]) == NAMES


def test_rankings_are_those_of_the_leaderboard():
    assert set(RANKS) <= set(ranked_keys())
    assert {word for by_model in RANKS.values() for word in by_model.values()} == {BEST, WORSE, OUT}
    assert all(set(by_model) <= NAMES for by_model in RANKS.values())


def test_values_have_one_row_each():
    assert len({row.value for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.value)
def test_a_row_can_be_wrong(row):
    assert set(row.but) <= NAMES
    assert row.sees
    assert all(low <= high for low, high in (row.usual, *row.but.values()))
    # What it says of the models that it sees is not what it says of the others.
    assert all(interval != row.usual for interval in row.but.values())
    assert row.but
