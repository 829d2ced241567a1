"""First places: those of a planted model are known, in their order, each with whether it is right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from labelled_toys import LabelledToy, OnePath, labelled_problem
from toys import Table, Toy, numbered_features, split_of

from mmulbench.core.data import Features, Relations, Split
from mmulbench.core.model import MultimodalModel
from mmulbench.evaluation.measure import EvaluationSets
from mmulbench.evaluation.rankings import PAIRS, UNITS, first_places, ranked_units
from mmulbench.progress import Progress
from mmulbench.records.rankings import PLACES, Rankings

TEST = split_of(*((i, i) for i in range(8)))
"""Eight images with a text each."""

FORGET = split_of((8, 9), (8, 8), (9, 10), (10, 10))
"""An image with two texts of its own, and two that share one."""

COUNT = 11


def sets_of(forget: Split = FORGET, gallery: int = 0, features: Features | None = None) -> EvaluationSets:
    splits = {"test": TEST, "retain": TEST, "forget": forget}
    return EvaluationSets(
        splits,
        TEST,
        Relations(TEST, FORGET),
        features or numbered_features(COUNT),
        Toy.modalities,
        rerank=3,
        gallery=gallery,
        galleries={"forget": TEST},
    )


def found(model: MultimodalModel, units: list[int], sets: EvaluationSets | None = None) -> Rankings:
    return first_places(model, sets or sets_of(), np.array(units), Progress())


def of(rankings: Rankings, unit: int, path: str, side: int) -> list[tuple[int, int, bool]]:
    """Place, item and truth of what was found, in the order of the rows."""
    rows = (rankings.unit == unit) & (rankings.path == path) & (rankings.side == side)
    columns = (rankings.place, rankings.found, rankings.is_true)
    return [
        (int(place), int(item), bool(right))
        for place, item, right in zip(*(column[rows] for column in columns), strict=True)
    ]


@pytest.fixture(scope="module")
def planted() -> Rankings:
    """Image 8 prefers 3, 9, 0, 8, 5 by similarity, of which matching turns the first three round."""
    similarity, log_odds = torch.zeros(COUNT, COUNT), torch.zeros(COUNT, COUNT)
    for place, text in enumerate((3, 9, 0, 8, 5)):
        similarity[8, text], log_odds[8, text] = 9.0 - place, place
    similarity[2, 9], similarity[6, 9] = 20.0, 8.5
    return found(Table(similarity, log_odds), [8, 9])


def test_the_first_places_of_a_unit_are_those_that_were_planted(planted):
    expected = [(1, 3, False), (2, 9, True), (3, 0, False), (4, 8, True), (5, 5, False)]
    assert of(planted, 8, "contrastive", 0) == expected


def test_matching_orders_the_candidates_that_similarity_chose(planted):
    assert of(planted, 8, "matching", 0) == [
        (1, 0, False),
        (2, 9, True),
        (3, 3, False),
        (4, 8, True),
        (5, 5, False),
    ]


def test_the_first_text_of_a_unit_searches_images(planted):
    rows = (planted.unit == 8) & (planted.side == 1)
    assert set(planted.item[rows]) == {9}
    assert of(planted, 8, "contrastive", 1)[:3] == [(1, 2, False), (2, 6, False), (3, 8, True)]


def test_other_units_are_not_searched_and_a_shared_text_is_that_of_each(planted):
    assert 9 not in planted.found[(planted.unit == 8) & (planted.side == 1)]
    similarity = torch.eye(COUNT)
    similarity[9, 10] = 0.5
    both = found(Table(similarity, torch.zeros(COUNT, COUNT)), [9, 10])
    for unit in (9, 10):
        assert of(both, unit, "contrastive", 1)[:3] == [(1, 10, True), (2, 9, True), (3, 0, False)]
        assert set(both.item[(both.unit == unit) & (both.side == 1)]) == {10}


@pytest.mark.parametrize("path", ["contrastive", "matching"])
def test_a_model_of_one_path_has_that_path_alone(path):
    rankings = found(OnePath(path), [8], sets_of(features=numbered_features(COUNT)))
    assert set(rankings.path) == {path}
    assert [place for place, _, _ in of(rankings, 8, path, 0)] == [*range(1, PLACES + 1)]


def test_in_a_small_gallery_there_are_fewer_places():
    rankings = found(Table(torch.eye(COUNT), torch.zeros(COUNT, COUNT)), [8, 9, 10], sets_of(gallery=2))
    assert set(rankings.unit) == {8, 9, 10}
    for unit, own in ((8, 2), (9, 1), (10, 1)):
        places = of(rankings, unit, "contrastive", 0)
        assert len(places) == 2 + own and sum(right for _, _, right in places) == own


def test_classes_are_ordered_by_probability_for_the_first_pairs_of_a_unit():
    """The toy's logits are the products of image and text, and 0."""
    problem = labelled_problem(more=((0, 1), (0, 2)))
    split, features = problem.forget.split, problem.forget.features
    sets = EvaluationSets(
        {"test": split, "retain": split, "forget": split},
        split,
        problem.forget.relations,
        features,
        Toy.modalities,
        rerank=2,
        classes=3,
    )
    rankings = found(LabelledToy(), [0, 3], sets)
    assert set(rankings.unit) == {0, 3} and set(rankings.path) == {"classification"}
    assert len(rankings.unit) == 3 * (PAIRS + 1)
    for text in (0, 1):
        rows = (rankings.unit == 0) & (rankings.item == text)
        x = features.arrays["image"]["x"][0] * features.arrays["text"]["x"][text]
        likely = torch.cat([x, torch.zeros(1)]).softmax(0).numpy()
        assert rankings.found[rows].tolist() == np.argsort(-likely).tolist()
        assert rankings.probability[rows] == pytest.approx(np.sort(likely)[::-1], abs=1e-6)
        assert rankings.is_true[rows].tolist() == (rankings.found[rows] == 0).tolist()


def test_units_are_all_or_a_draw_by_the_seed():
    few = np.array([5, 3, 3, 9])
    assert ranked_units(few, 1).tolist() == [3, 5, 9]
    many = np.arange(3 * UNITS)
    one, other = ranked_units(many, 1), ranked_units(many, 2)
    assert len(one) == len(set(one.tolist())) == UNITS and one.tolist() == sorted(one.tolist())
    assert one.tolist() == ranked_units(many, 1).tolist() != other.tolist()
