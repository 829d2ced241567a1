from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from toys import toy_problem

from mmulbench.conformance.batch_log import BatchLog, watched


def log_of(*sizes: int, pairs: bool = True, first: int = 0) -> BatchLog:
    """The log of batches of so many pairs, or units, of Dr, which has 4 units of 2 pairs; then again."""
    log = BatchLog()
    data = watched(toy_problem().retain, log)
    if pairs:
        data = replace(data, sampling="pair")
    ends = np.cumsum((first, *sizes))
    for start, end in itertools.pairwise(ends):
        data.batch(np.arange(start, end) * (1 if pairs else 2) % len(data.split))
    return log


def test_even_passes_are_seen_and_are_even():
    log = log_of(3, 3, 2, 2, 3, 3)
    assert log.passes() == [(3, 3, 2), (2, 3, 3)] and log.uneven() == []


def test_a_rest_is_seen():
    assert log_of(3, 4, 1).uneven() == [(3, 4, 1)]


def test_passes_of_units_are_seen_too():
    assert log_of(3, 1, 2, 2, pairs=False).passes() == [(3, 1), (2, 2)]


def test_a_look_at_a_few_pairs_begins_no_pass():
    assert log_of(1, first=2).passes() == []
    assert log_of(1, 4, 4, first=7).passes() == [(4, 4)]


def test_sets_are_apart_and_parts_of_them_are_watched():
    log, problem = BatchLog(), toy_problem()
    forget, retain = watched(problem.forget, log), watched(problem.retain, log)
    part = replace(retain, split=retain.split.only(retain.split.units[:1]), sampling="pair")
    for data, positions in ((forget, [0]), (part, [0]), (forget, [1, 2, 3]), (part, [1])):
        data.batch(np.array(positions))
    assert log.passes() == [(1, 3), (1, 1)] and log.uneven() == [(1, 3)]


def test_a_watched_set_gives_the_same_batches():
    data = toy_problem().retain
    noted = watched(data, BatchLog())
    for plain, other in zip(
        data.epoch(2, np.random.default_rng(0)), noted.epoch(2, np.random.default_rng(0)), strict=True
    ):
        assert plain.rows.tolist() == other.rows.tolist()
