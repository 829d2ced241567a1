"""Queries of a set that search the items of another, so that both sets' recalls can be compared."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toys import Table, Toy, numbered_features, split_of

from mmulbench.core.data import Relations, Split
from mmulbench.evaluation.measure import EvaluationSets, measure
from mmulbench.evaluation.retrieval import Retrieval, evaluate_retrieval, searches
from mmulbench.metrics.utility import chance_recall_at
from mmulbench.progress import Progress

TEST = split_of(*((i, i) for i in range(10)))
"""Ten images with a text each."""

FORGET = split_of((10, 10), (10, 11), (11, 12), (12, 12), (12, 3))
"""Three images: one with two texts of its own, two that share one, of which one has a test text besides."""

ALL = Relations(TEST, FORGET)


def found(model: Table, split: Split, distractors: Split | None, gallery: int = 0) -> Retrieval:
    return evaluate_retrieval(
        model, split, ALL, numbered_features(13), 4, Progress(), "search", gallery, distractors
    )


def knowing(*pairs: tuple[int, int, float]) -> Table:
    similarity = torch.zeros(13, 13)
    for image, text, value in pairs:
        similarity[image, text] = value
    return Table(similarity, torch.zeros(13, 13))


OWN = [(int(image), int(text), 1.0) for image, text in zip(FORGET.first, FORGET.second, strict=True)]


def test_who_knows_the_forget_set_finds_all_of_it_among_test_items():
    utility = found(knowing(*OWN), FORGET, TEST).utility
    assert utility.mean_recall == 1.0
    assert utility.n == 3 + 4


def test_other_items_of_the_same_set_are_no_rivals():
    """Image 10 prefers image 11's text, and text 10 image 12: wrong in a gallery of their own alone."""
    model = knowing(*OWN, (10, 12, 5.0), (12, 10, 5.0))
    assert found(model, FORGET, None).utility.first_to_second[1].value < 1.0
    assert found(model, FORGET, None).utility.second_to_first[1].value < 1.0
    assert found(model, FORGET, TEST).utility.mean_recall == 1.0


def test_items_of_the_other_set_are_rivals():
    """Image 10 prefers a test text, and text 12 a test image."""
    utility = found(knowing(*OWN, (10, 0, 5.0), (4, 12, 5.0)), FORGET, TEST).utility
    assert utility.first_to_second[1].value == pytest.approx(2 / 3)
    assert utility.second_to_first[1].value == pytest.approx(3 / 4)


@pytest.mark.parametrize("preferred", [10, 11, 12])
def test_what_a_query_does_not_search_takes_no_candidates_place(preferred):
    """Only four candidates are re-ranked; the other deleted images would fill two of the places."""
    similarity, log_odds = torch.zeros(13, 13), torch.zeros(13, 13)
    similarity[list({10, 11, 12} - {preferred}), :] = 9.0
    similarity[[0, 1, 2], :] = 2.0
    similarity[FORGET.first, FORGET.second] = 1.0
    log_odds[FORGET.first, FORGET.second] = 50.0
    part = FORGET.only(np.array([preferred]))
    assert found(Table(similarity, log_odds), part, TEST).utility.mean_recall == 1.0
    whole = found(Table(similarity, log_odds), FORGET, TEST).by_unit
    assert whole[FORGET.units.tolist().index(preferred), 0].tolist() == [1.0] * 3


def test_chance_by_hand():
    """Images search ten texts and those of their own; image 12 has one that the test split has too."""
    utility = found(knowing(*OWN), FORGET, TEST).utility
    for k in (1, 5, 10):
        images = [chance_recall_at(12, np.array([2]), k), chance_recall_at(11, np.array([1]), k)]
        images.append(chance_recall_at(11, np.array([2]), k))
        assert utility.first_to_second[k].chance == pytest.approx(np.mean(images))
        texts = [chance_recall_at(11, np.array([1]), k)] * 2
        texts += [chance_recall_at(12, np.array([2]), k), chance_recall_at(11, np.array([2]), k)]
        assert utility.second_to_first[k].chance == pytest.approx(np.mean(texts))


def test_a_model_that_scores_at_random_reaches_chance():
    torch.manual_seed(0)
    results = [found(Table(torch.randn(13, 13), torch.randn(13, 13)), FORGET, TEST) for _ in range(200)]
    for name in ("contrastive", "matching"):
        values = [result.by_path[name].mean_recall for result in results]
        error = np.std(values) / len(values) ** 0.5
        assert np.mean(values) == pytest.approx(results[0].by_path[name].chance, abs=4 * error)
    assert np.mean([result.utility.mean_recall for result in results]) == pytest.approx(
        results[0].utility.chance, abs=4 * error
    )


@pytest.mark.parametrize("known", [0.0, 1.0, 2.0])
def test_sets_that_could_be_exchanged_are_equally_hard(known):
    """Sixty units of a test set and thirty that could be of it: a model that knows all of them alike."""
    differences = []
    for seed in range(1000, 1040):
        torch.manual_seed(seed)
        order = torch.randperm(90).numpy()
        test, forget = (Split(units, units) for units in (np.sort(order[:60]), np.sort(order[60:])))
        model = Table(torch.randn(90, 90) + known * torch.eye(90), torch.randn(90, 90))
        sets = EvaluationSets(
            {"test": test, "forget": forget, "retain": forget},
            test,
            Relations(test, forget),
            numbered_features(90),
            Toy.modalities,
            rerank=8,
            galleries={"forget": test},
        )
        utility = measure(model, sets, 0, Progress()).utility
        differences.append(utility["forget"]["headline"].value - utility["test"]["headline"].value)
        assert utility["retain"]["headline"].chance > 1.5 * utility["test"]["headline"].chance
        assert utility["forget"]["headline"].chance == pytest.approx(
            utility["test"]["headline"].chance, rel=0.02
        )
    assert abs(np.mean(differences)) < 3 * np.std(differences) / len(differences) ** 0.5


@pytest.mark.parametrize(
    ("gallery", "sizes"), [(0, [10]), (10, [10]), (5, [5, 5]), (4, [4, 4]), (3, [3] * 3)]
)
def test_queries_are_divided_among_the_folds_of_the_other_set(gallery, sizes):
    parts = searches(FORGET, gallery, TEST)
    assert [len(part.distractors.units) for part in parts if part.distractors is not None] == sizes
    assert sorted(np.concatenate([part.queries.units for part in parts])) == [10, 11, 12]
    assert sum(len(part.queries) for part in parts) == len(FORGET)
    result = found(knowing(*OWN), FORGET, TEST, gallery)
    assert result.utility.mean_recall == 1.0
    assert np.all(result.by_unit == 1.0)


def test_more_queries_than_a_gallery_has_units_search_it_in_turns():
    parts = searches(TEST, 3, FORGET)
    assert [len(part.queries.units) for part in parts] == [3, 3, 2, 2]
    assert all(part.distractors is FORGET for part in parts)


def test_recalls_of_a_unit_are_those_of_its_queries():
    """Image 10 is found by one of its two texts; image 12's query finds it, its texts do not."""
    model = knowing(*OWN, (0, 11, 5.0), (1, 12, 5.0), (1, 3, 5.0))
    by_unit = found(model, FORGET, TEST).by_unit
    assert by_unit[:, 0, 0].tolist() == [1.0, 1.0, 1.0]
    assert by_unit[:, 1, 0].tolist() == [0.5, 0.0, 0.0]
    assert by_unit[:, 1, 2].tolist() == [1.0, 1.0, 1.0]


def test_a_unit_in_no_measured_fold_has_no_recall(monkeypatch):
    monkeypatch.setattr("mmulbench.evaluation.retrieval.FOLDS", 1)
    by_unit = found(knowing(), TEST, None, gallery=4).by_unit
    assert np.isnan(by_unit[:, 0, 0]).sum() == 6
