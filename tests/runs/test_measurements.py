"""What is measured comes back from the cache as it was, and every set has its gallery."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from toys import Toy, split_of, toy_problem

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core.data import Relations, Split
from mmulbench.core.observations import Measurements
from mmulbench.evaluation.measure import EvaluationSets, measure
from mmulbench.evaluation.rankings import first_places
from mmulbench.progress import Progress
from mmulbench.records.rankings import Rankings
from mmulbench.runs.measurements import _pack, _unpack, digest_of_sets, evaluation_sets, load_rankings
from mmulbench.runs.prepare import PreparedTask

TEST = split_of((6, 9), (7, 10))


def sets_of(forget: Split, test: Split = TEST) -> EvaluationSets:
    given = toy_problem()
    task = SimpleNamespace(modalities=Toy.modalities, rerank=2, classes=(), utility="", gallery=0)
    prepared = SimpleNamespace(
        data=SimpleNamespace(test=test, validation=TEST),
        relations=Relations(given.retain.split, given.forget.split, TEST),
        features=given.retain.features,
        task=task,
    )
    return evaluation_sets(cast(PreparedTask, prepared), given.retain.split, forget)


@pytest.fixture
def found() -> Measurements:
    return measure(Toy(), sets_of(toy_problem().forget.split), 0, Progress())


def test_the_forget_set_is_searched_among_test_items(found):
    sets = sets_of(toy_problem().forget.split)
    assert sets.galleries == {"forget": TEST}
    alone = measure(Toy(), replace(sets, galleries={}), 0, Progress()).utility
    assert found.utility["test"] == alone["test"] and found.utility["retain"] == alone["retain"]
    assert found.utility["forget"] != alone["forget"]


def test_what_is_measured_comes_back_from_the_cache(found):
    back = _unpack(_pack(found))
    assert back.utility == found.utility
    assert {field.name for field in fields(found)} == {
        "utility",
        "scores",
        "losses",
        "pooled",
        "unit_utility",
    }
    for name in ("scores", "losses"):
        one, other = getattr(found, name), getattr(back, name)
        assert all(np.array_equal(other[path][of], one[path][of]) for path in one for of in one[path])
    assert found.pooled.keys() == set(Toy.modalities)
    assert all(np.array_equal(back.pooled[name], array) for name, array in found.pooled.items())
    assert back.unit_utility is not None and np.array_equal(back.unit_utility, found.unit_utility)


def test_measurements_without_representations_and_units_come_back(found):
    back = _unpack(_pack(Measurements(found.utility, found.scores, found.losses)))
    assert back.pooled == {} and back.unit_utility is None


def test_a_gallery_is_part_of_what_tells_sets_apart():
    forget = toy_problem().forget.split
    one = sets_of(forget)
    assert digest_of_sets(one) != digest_of_sets(replace(one, galleries={}))
    assert digest_of_sets(one) == digest_of_sets(sets_of(forget))


def test_rankings_come_back_from_the_cache_and_are_made_once(tmp_path, monkeypatch):
    sets, made = sets_of(toy_problem().forget.split), []
    workspace = SimpleNamespace(cache=ArtifactCache(tmp_path), progress=Progress())
    prepared = cast(PreparedTask, SimpleNamespace(workspace=workspace, key={"task": "toy"}))

    def counted(*given: Any) -> Rankings:
        made.append(first_places(*given))
        return made[-1]

    monkeypatch.setattr("mmulbench.runs.measurements.first_places", counted)
    loaded = [load_rankings(Toy(), sets, prepared, 0) for _ in range(2)]
    (fresh,) = made
    assert set(fresh.path) == {"contrastive", "matching"} and set(fresh.side) == {0, 1}
    for one in fields(fresh):
        for back in loaded:
            assert np.array_equal(
                getattr(back, one.name), getattr(fresh, one.name), equal_nan=one.name == "probability"
            )
