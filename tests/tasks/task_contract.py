"""What every task must hold to. An outside package can inherit it, with a fixture `name`."""

from __future__ import annotations

import itertools
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest

from mmulbench.errors import UsageError
from mmulbench.preparation import find_backbone
from mmulbench.progress import Progress
from mmulbench.registry import TASKS
from mmulbench.training import Recipe


class TaskContract:
    loaded: dict = {}  # noqa: RUF012

    @pytest.fixture
    def task(self, name):
        return TASKS.get(name)()

    @pytest.fixture
    def data_dirs(self, name):
        """Two folders with the same data; anything will do where the data comes with packages."""
        return Path("data"), Path("elsewhere")

    @pytest.fixture
    def data(self, name, task, data_dirs):
        if name not in self.loaded:
            self.loaded[name] = task.load(data_dirs[0], Progress())
        return self.loaded[name]

    def test_says_what_it_is(self, name, task):
        assert TASKS.describe(name).strip()
        assert is_dataclass(task.config) and type(task.config).__dataclass_params__.frozen
        assert isinstance(task.recipe, Recipe) and 0 < task.forget_fraction < 1 and task.rerank > 0
        assert find_backbone(task.default_backbone, task).modalities == task.modalities

    def test_splits_index_the_items_and_share_no_unit(self, task, data):
        sizes = [len(data.items[modality]) for modality in task.modalities]
        for split in (data.train, data.validation, data.test):
            assert len(split) and split.rows.tolist() == list(range(len(split)))
            for column, size in zip((split.first, split.second), sizes, strict=True):
                assert column.dtype == np.int64 and column.min() >= 0 and column.max() < size
            assert len({*zip(split.first.tolist(), split.second.tolist(), strict=True)}) == len(split)
        for one, other in itertools.combinations((data.train, data.validation, data.test), 2):
            assert not {*one.units.tolist()} & {*other.units.tolist()}

    def test_loading_again_from_elsewhere_gives_the_same(self, name, data, data_dirs):
        again = TASKS.get(name)().load(data_dirs[1], Progress())
        assert again.fingerprint == data.fingerprint and len(data.fingerprint) == 64
        assert np.array_equal(again.train.first, data.train.first)
        assert np.array_equal(again.test.second, data.test.second)

    def test_forget_lists_are_nested_and_differ_between_seeds(self, task, data):
        units, lists = {*data.train.units.tolist()}, []
        for seed in (0, 1):
            small, large = (task.forget_units(data, size, seed).tolist() for size in (5, 50))
            assert len({*large}) == 50 and {*large} < units
            assert large[:5] == small
            assert task.forget_units(data, 50, seed).tolist() == large
            lists.append({*large})
        assert lists[0] != lists[1]

    @pytest.mark.parametrize("size", [0, -3, "all", "all but none"])
    def test_impossible_numbers_of_units(self, size, task, data):
        total = len(data.train.units)
        number = {"all": total, "all but none": total + 1}.get(size, size)
        with pytest.raises(UsageError, match=f"forget size {number} is out of range: 1 to {total - 1} units"):
            task.forget_size(data, number)

    @pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
    def test_impossible_fractions(self, fraction, task, data):
        with pytest.raises(UsageError, match=r"a fraction lies between 0 and 1 \(both excluded\)"):
            task.forget_size(data, fraction)

    def test_sizes_that_are_possible(self, task, data):
        total = len(data.train.units)
        assert task.forget_size(data, None) == round(task.forget_fraction * total)
        assert [task.forget_size(data, size) for size in (1, total - 1, 0.5)] == [
            1,
            total - 1,
            round(total / 2),
        ]
        assert (task.forget_size(data, 1e-9), task.forget_size(data, 1 - 1e-9)) == (1, total - 1)
