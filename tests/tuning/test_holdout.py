from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from table_miniatures import task_of

from mmulbench.core.forget_set import ForgetSet
from mmulbench.errors import UsageError
from mmulbench.progress import Progress
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.runs.measurements import retain_sample
from mmulbench.tuning.holdout import forget_units, held_out


@pytest.fixture(scope="module")
def held(emoji):
    return held_out(emoji, 1)


def test_validation_takes_the_place_of_the_test_split(emoji, held):
    data, whole = held.data, emoji.data
    halves = [set(data.validation.units.tolist()), set(data.test.units.tolist())]
    assert not halves[0] & halves[1] and all(halves)
    assert halves[0] | halves[1] == set(whole.validation.units.tolist())
    assert np.array_equal(data.train.first, whole.train.first)


def test_no_pair_of_the_test_split_is_known(emoji, held):
    first, second = (torch.from_numpy(column) for column in (emoji.data.test.first, emoji.data.test.second))
    assert emoji.relations.pairwise(first, second).all()
    assert not held.relations.pairwise(first, second).any()
    assert not held.known_relations.pairwise(first, second).any()
    judged = held.data.test
    columns = (torch.from_numpy(column) for column in (judged.first, judged.second))
    assert not held.known_relations.pairwise(*columns).any()


def test_forget_sets_are_apart_from_all_published_ones(emoji, held):
    published = {
        unit for seed in PUBLISHED_SEEDS for unit in emoji.task.forget_units(emoji.data, 2, seed).tolist()
    }
    found = [set(forget_units(held, 2, seed).tolist()) for seed in (1, 2)]
    assert all(len(units) == 2 and not units & published for units in found)
    with pytest.raises(UsageError, match=r"leaves \d+ units outside the published forget sets: tune"):
        forget_units(held, len(emoji.data.train.units) // 3, 1)


def test_what_checks_a_search_shares_no_unit_with_it(held):
    size = 3
    searched = {unit for seed in (1, 2) for unit in forget_units(held, size, seed).tolist()}
    for seed in range(3, 20):
        assert not searched & set(forget_units(held, size, seed, (1, 2)).tolist())
    assert any(searched & set(forget_units(held, size, seed).tolist()) for seed in range(3, 20))
    with pytest.raises(UsageError, match="and those of the search: tune with a smaller"):
        forget_units(held, len(held.data.train.units) // 6, 3, (1, 2))


def test_units_of_several_pictures_are_left_out_and_taken_whole(held, kept):
    task = task_of("pairs", unit="person")
    data = task.load(kept, Progress())
    persons = replace(held, task=task, data=data)
    names = task.item_names(data, "image")
    taken = {names[unit] for seed in PUBLISHED_SEEDS for unit in task.forget_units(data, 1, seed).tolist()}
    found = [names[unit] for unit in forget_units(persons, 2, 5).tolist()]
    assert len(found) == 8 and len(set(found)) == 2 and not set(found) & taken
    with pytest.raises(UsageError, match=r"forget size 6 leaves [0-5] units outside the published"):
        forget_units(persons, 6, 5)


def test_the_sample_of_the_retain_set_is_a_part_of_dr(held):
    forget = ForgetSet(forget_units(held, 2, 1))
    judged = retain_sample(held, forget, 1)
    assert set(judged.units) <= set(forget.kept(held.data.train).units)
    assert len(judged.units) == len(held.data.test.units)
