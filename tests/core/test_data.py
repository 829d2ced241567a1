from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from toys import SHARED, numbered_features, split_of, toy_features, toy_problem

from mmulbench.core.data import Features, NoUnrelatedPairs, Relations, Split, unrelated_pairs


def test_split_by_units_keeps_rows_of_the_split_it_came_from():
    train = split_of((2, 0), (0, 1), (2, 3), (1, 1))
    assert train.units.tolist() == [0, 1, 2]
    assert train.rows.tolist() == [0, 1, 2, 3]
    forget, retain = train.only(np.array([2])), train.without(np.array([2]))
    assert (forget.first.tolist(), forget.second.tolist(), forget.rows.tolist()) == ([2, 2], [0, 3], [0, 2])
    assert (retain.first.tolist(), retain.second.tolist(), retain.rows.tolist()) == ([0, 1], [1, 1], [1, 3])
    assert retain.only(np.array([1])).rows.tolist() == [3]


def test_split_refuses_unequal_columns():
    with pytest.raises(ValueError, match="equal vectors"):
        Split(np.arange(3), np.arange(2))


def test_relations_know_true_pairs_of_all_splits_and_nothing_else():
    relations = Relations(split_of((0, 0), (0, 2)), split_of((3, 1)))
    expected = np.zeros((5, 5), dtype=bool)
    expected[[0, 0, 3], [0, 2, 1]] = True
    # Item 4 of either side is larger than any seen: (0, 3) and (0, 4) must not be taken for (1, 0) or (1, 1).
    items = torch.arange(5)
    assert np.array_equal(relations.matrix(items, items).numpy(), expected)
    assert relations.pairwise(torch.tensor([0, 0, 3, 3]), torch.tensor([2, 1, 1, 4])).tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_unrelated_pairs_are_never_true_and_come_from_the_split():
    split = split_of(*SHARED)
    relations = Relations(split)
    torch.manual_seed(0)
    drawn = unrelated_pairs(split, relations, 5000)
    assert len(drawn) == 5000
    first, second = torch.from_numpy(drawn.first), torch.from_numpy(drawn.second)
    assert not relations.pairwise(first, second).any()
    possible = {(i, t) for i in range(6) for t in range(9)} - set(SHARED)
    assert set(zip(drawn.first.tolist(), drawn.second.tolist(), strict=True)) == possible


def test_unrelated_pairs_of_one_unit_are_refused():
    with pytest.raises(NoUnrelatedPairs, match="no unrelated pairs"):
        unrelated_pairs(split_of((4, 0), (4, 1)), Relations(split_of((4, 0), (4, 1))), 3)


def test_features_are_read_by_index_and_half_precision_comes_out_as_float32():
    stored = {
        "image": {"tokens": torch.arange(6, dtype=torch.float16).reshape(3, 2), "mask": torch.ones(3, 1) > 0}
    }
    got = Features(stored, torch.device("cpu")).gather("image", torch.tensor([2, 0]))
    assert got["tokens"].dtype == torch.float32 and got["tokens"].tolist() == [[4, 5], [0, 1]]
    assert got["mask"].dtype == torch.bool


def test_a_batch_names_its_items_and_marks_all_true_pairs():
    data = toy_problem(features=toy_features(np.eye(8, 2), np.ones((11, 2)))).retain
    # Rows 0 to 3 of Dr: image 2 with texts 2 and 7, image 3 with texts 3 and 7.
    batch = data.batch(np.arange(4))
    assert batch.items("image").tolist() == [2, 2, 3, 3]
    assert batch.items("text").tolist() == [2, 7, 3, 7]
    assert batch.rows.tolist() == [4, 5, 6, 7]
    assert batch.targets.related.int().tolist() == [[1, 1, 0, 1], [1, 1, 0, 1], [0, 1, 1, 1], [0, 1, 1, 1]]
    assert batch.inputs("text")["x"].shape == (4, 2)


def test_an_epoch_by_unit_sees_each_unit_once_with_one_of_its_pairs():
    data = toy_problem(forget=(0,)).retain
    rng, texts = np.random.default_rng(0), set()
    for _ in range(30):
        batches = list(data.epoch(2, rng))
        assert [len(batch) for batch in batches] == [3, 2]
        pairs = [
            pair for b in batches for pair in zip(b.first.tolist(), b.second.tolist(), b.rows, strict=True)
        ]
        assert sorted(first for first, _, _ in pairs) == [1, 2, 3, 4, 5]
        assert all(SHARED[row] == (first, second) for first, second, row in pairs)
        texts.update(second for _, second, _ in pairs)
    assert texts == {1, 2, 3, 4, 5, 6, 7, 8}
    assert (len(data), data.steps(2)) == (5, 2)


def test_batches_are_equal_so_that_no_rest_takes_a_whole_step():
    data = replace(toy_problem().retain, sampling="pair", features=numbered_features(11))
    for size in range(1, 15):
        lengths = [len(batch) for batch in data.epoch(size, np.random.default_rng(0))]
        assert len(lengths) == data.steps(size) == max(1, round(len(data) / size))
        assert sum(lengths) == len(data) and max(lengths) - min(lengths) <= 1
    assert data.steps(7) != -(-len(data) // 7), "a size that leaves a small rest is among these"


def test_no_pairs_make_no_batch():
    data = toy_problem().retain
    none = replace(data, split=data.split.only(np.array([], dtype=np.int64)))
    assert none.steps(2) == 0 and list(none.epoch(2, np.random.default_rng(0))) == []


def test_an_epoch_by_pair_sees_each_pair_once():
    data = toy_problem().forget
    rows = [row for batch in data.epoch(3, np.random.default_rng(0)) for row in batch.rows.tolist()]
    assert sorted(rows) == [0, 1, 2, 3]
    assert (len(data), data.steps(3)) == (4, 1)


def test_order_follows_the_generator():
    data = replace(toy_problem().retain, sampling="pair", features=numbered_features(11))

    def orders(seed, epochs=2):
        rng = np.random.default_rng(seed)
        return [b.rows.tolist() for _ in range(epochs) for b in data.epoch(3, rng)]

    assert orders(1) == orders(1) != orders(2)
    assert orders(1)[:3] != orders(1)[3:]
    assert [b.rows.tolist() for b in islice(data.cycle(3, np.random.default_rng(1)), 6)] == orders(1)


def test_a_batch_size_of_0_is_refused_with_what_it_stands_for():
    data = toy_problem().retain
    with pytest.raises(ValueError, match=r"no batches of 0 pairs: .* problem\.batch_size\(self"):
        list(data.epoch(0, np.random.default_rng(0)))


def test_true_cells_are_those_of_the_matrix():
    rng = np.random.default_rng(0)
    split = Split(*(rng.integers(0, 12, 30) for _ in range(2)))
    relations = Relations(split)
    for _ in range(20):
        first, second = (torch.from_numpy(rng.integers(0, 20, 15)) for _ in range(2))
        matrix = torch.zeros(15, 15, dtype=torch.bool)
        matrix[relations.cells(first, second)] = True
        assert torch.equal(matrix, relations.matrix(first, second))
        assert len(relations.cells(first, second)[0]) == int(matrix.sum())
