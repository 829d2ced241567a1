from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mmulbench.audit.examples import LEAST, MOST, SHOWN, TYPICAL, Ranked, Ranking, choose, forget_units
from mmulbench.records.unit_files import UnitScores


def table(changes, *, retrain=True, paths=("contrastive", "matching")):
    """Units 100, 101, … of which the scores change by so much, the second path on a scale of its own."""
    parts = []
    for scale, path in enumerate(paths):
        after = np.array(changes, dtype=np.float64) * 10**scale
        numbers = {"score": after, "original_score": np.zeros_like(after)}
        if retrain:
            numbers["retrain_score"] = np.full_like(after, 0.5)
        units, ones = np.arange(len(after)) + 100, np.ones(len(after), dtype=np.int64)
        for split in ("forget", "test"):
            names = np.full(len(after), split), np.full(len(after), path)
            moved = units if split == "forget" else units + 1000
            parts.append(UnitScores(names[0], moved, names[1], ones, numbers))
    return parquet.read_table(io.BytesIO(UnitScores.joined(parts).to_parquet()))


def by_kind(chosen):
    found: dict[str, list[int]] = {}
    for one in chosen:
        found.setdefault(one.kind, []).append(one.unit - 100)
    return found


def test_the_most_and_the_least_changed_are_shown_and_typical_ones():
    changes = np.linspace(-3, 3, 61)  # unit 30 stays as it is, the first and the last change most
    found = by_kind(choose(table(changes), seed=1))
    assert {name: len(units) for name, units in found.items()} == {MOST: 4, TYPICAL: 4, LEAST: 4}
    assert set(found[MOST]) == {0, 1, 59, 60}
    assert found[LEAST][-1] == 30 and set(found[LEAST]) <= {28, 29, 30, 31, 32}
    assert all(0.7 < abs(changes[unit]) < 2.3 for unit in found[TYPICAL])


def test_the_draw_depends_on_the_seed_alone():
    rng = np.random.default_rng(0)
    scores = table(rng.normal(size=200))
    assert choose(scores, 1) == choose(scores, 1)
    assert by_kind(choose(scores, 1))[TYPICAL] != by_kind(choose(scores, 2))[TYPICAL]
    assert by_kind(choose(scores, 1))[MOST] == by_kind(choose(scores, 2))[MOST]


@pytest.mark.parametrize("units", [1, 2, 5, SHOWN, SHOWN + 1, 14, 25])
def test_few_units_are_all_shown_and_none_twice(units):
    found = [one.unit for one in choose(table(np.arange(units)), seed=3)]
    assert len(found) == len(set(found)) == min(units, SHOWN)


def test_scores_are_told_by_path_and_without_retrain_are_dashes():
    (own,) = choose(table([2.0]), seed=0)
    assert own.scores == (("contrastive", 0.0, 2.0, 0.5), ("matching", 0.0, 20.0, 0.5))
    (bare,) = choose(table([2.0], retrain=False), seed=0)
    assert [score.retrain for score in bare.scores] == [None, None]


def test_no_path_outweighs_another_by_its_scale():
    small, large = table([5, 4, 3, 2, 1, 0], paths=("a",)), table([0, 40, 30, 20, 50, 10], paths=("a",))
    other = large.set_column(2, "path", pa.array(["b"] * large.num_rows))
    chosen = choose(pa.concat_tables([small, other]), seed=0)
    assert by_kind(chosen)[MOST][0] == 1  # second on both paths; unit 4 is first and last but one


def test_units_can_be_chosen_among_some_alone():
    changes = np.linspace(-3, 3, 61)
    chosen = choose(table(changes), 1, among=range(110, 140))
    assert len(chosen) == SHOWN and {one.unit for one in chosen} <= {*range(110, 140)}
    assert by_kind(chosen)[MOST][0] == 10


def test_rankings_of_unequal_length_have_a_row_for_each_place():
    one, other = (Ranked(name, (), False, None) for name in "ab")
    found = Ranking("", (one, other), (other,), ())
    assert found.rows == [(1, (one, other, None)), (2, (other, None, None))]


def test_units_of_other_sets_are_none_of_the_forget_set():
    assert forget_units(table([1.0, 2.0])) == [100, 101]
