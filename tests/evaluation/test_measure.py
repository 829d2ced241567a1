from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from labelled_toys import labelled_problem
from toys import Table, Toy, encoded_pairs, numbered_features, split_of, toy_features, toy_problem

from mmulbench.core.data import Relations
from mmulbench.evaluation.measure import EvaluationSets, measure
from mmulbench.evaluation.pair_losses import Pools, contrastive_pair_loss
from mmulbench.evaluation.retrieval import evaluate_retrieval
from mmulbench.progress import Progress


def retrieval(model, pairs, rerank, count=9):
    split = split_of(*pairs)
    features = numbered_features(count)
    return evaluate_retrieval(
        model, split, Relations(split), features, rerank, Progress(), "retrieval"
    ).utility


def at_1(result) -> tuple[float, float]:
    return result.first_to_second[1].value, result.second_to_first[1].value


DIAGONAL = [(i, i) for i in range(9)]


@pytest.mark.parametrize("rerank", [1, 3, 100])
def test_a_perfect_model_finds_everything(rerank):
    result = retrieval(Table(torch.eye(9), torch.zeros(9, 9)), DIAGONAL, rerank)
    assert at_1(result) == (1.0, 1.0)
    assert result.mean_recall == 1.0 and result.n == 18


def test_a_model_that_is_always_wrong_finds_nothing():
    result = retrieval(Table(-torch.eye(9), torch.zeros(9, 9)), DIAGONAL, 3)
    assert at_1(result) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("right", "rerank", "found"),
    [
        (0, 1, 1.0),  # nothing but the nearest is fused: it stays first
        (0, 2, 0.0),
        (1, 1, 0.0),
        (1, 2, 1.0),  # lifted by the fusion module from second place
        (3, 3, 0.0),  # would win, but is no candidate
        (3, 4, 1.0),
    ],
)
def test_reranking_puts_only_candidates_first(right, rerank, found):
    """One image, four texts: similarity 3, 2, 1, 0; the fusion module prefers them the other way round."""
    similarity, log_odds = torch.zeros(4, 4), torch.zeros(4, 4)
    similarity[0] = torch.tensor([3.0, 2.0, 1.0, 0.0])
    log_odds[0] = torch.tensor([0.0, 5.0, 10.0, 99.0])
    # Images 1 to 3 have the other texts, and always find the first one's instead.
    similarity[1:, right] = 100.0
    others = [text for text in range(4) if text != right]
    pairs = [(0, right), *zip((1, 2, 3), others, strict=True)]
    result = retrieval(Table(similarity, log_odds), pairs, rerank, count=4)
    assert result.first_to_second[1].value * 4 == found


@pytest.mark.parametrize("dislike", [-50.0, -1e6])
def test_candidates_come_before_the_rest_however_little_the_fusion_module_likes_them(dislike):
    """Text 1 wins between the two candidates; text 2 would beat both, had it been one."""
    similarity, log_odds = torch.zeros(4, 4), torch.zeros(4, 4)
    similarity[0] = torch.tensor([3.0, 2.0, 1.0, 0.0])
    log_odds[0, :2] = torch.tensor([2 * dislike, dislike])
    similarity[1:, 1] = 100.0
    pairs = [(0, 1), (1, 0), (2, 2), (3, 3)]
    result = retrieval(Table(similarity, log_odds), pairs, rerank=2, count=4)
    assert result.first_to_second[1].value * 4 == 1.0


def test_reranking_works_in_both_directions():
    """Similarity is of no help, the fusion module knows: found when all are candidates."""
    result = retrieval(Table(torch.zeros(9, 9), 10 * torch.eye(9)), DIAGONAL, 9)
    assert at_1(result) == (1.0, 1.0)
    asymmetric = torch.zeros(9, 9)
    asymmetric[:, 0] = 50.0  # every image prefers text 0; for a text that makes no difference
    assert at_1(retrieval(Table(asymmetric, 10 * torch.eye(9)), DIAGONAL, 9)) == pytest.approx((1 / 9, 1.0))


def test_each_path_alone_by_hand():
    """The similarity finds half of the images, matching the other half, and their sum finds all.

    Image 2 is found by neither among its two candidates, but by matching, had all been candidates.
    """
    similarity = torch.tensor([[2.0, 1.0, 0.0], [5.0, 4.0, 0.0], [2.0, 1.0, 0.0]])
    log_odds = torch.tensor([[0.0, 0.5, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 9.0]])
    features, split = numbered_features(3), split_of((0, 0), (1, 1), (2, 2))
    found = evaluate_retrieval(
        Table(similarity, log_odds), split, Relations(split), features, 2, Progress(), "retrieval"
    )
    first = {path: found.by_path[path].first_to_second[1].value for path in Table.paths}
    assert first == pytest.approx({"contrastive": 1 / 3, "matching": 1 / 3})
    assert found.utility.first_to_second[1].value == pytest.approx(2 / 3)


@pytest.mark.parametrize("path", ["contrastive", "matching"])
def test_of_a_single_path_the_recalls_are_the_models(path, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(Table, "paths", (path,))
    split = split_of(*DIAGONAL)
    model = Table(torch.randn(9, 9), torch.randn(9, 9))
    found = evaluate_retrieval(model, split, Relations(split), numbered_features(9), 4, Progress(), "")
    assert found.by_path == {path: found.utility}


def test_any_right_answer_counts():
    """Images 0 and 1 share text 2: each of them is right for it, and it is right for both."""
    similarity = torch.tensor([[-2.0, -1.0, 1.0], [-1.0, -2.0, 1.0]])
    result = retrieval(Table(similarity, torch.zeros(2, 3)), [(0, 0), (1, 1), (0, 2), (1, 2)], 1, count=3)
    assert result.first_to_second[1].value == 1.0
    assert result.second_to_first[1].value == pytest.approx(1 / 3)


def test_blocks_of_queries_change_nothing(monkeypatch):
    torch.manual_seed(0)
    model = Table(torch.randn(9, 9), torch.randn(9, 9))
    expected = retrieval(model, DIAGONAL, 4)
    monkeypatch.setattr("mmulbench.evaluation.retrieval.QUERIES", 2)
    monkeypatch.setattr("mmulbench.evaluation.retrieval.PAIRS", 3)
    assert retrieval(model, DIAGONAL, 4) == expected


def test_contrastive_loss_of_a_pair_by_hand():
    """Own similarity 2; the pool's texts give 1 and 0 to the image, the pool's image gives 3 to the text."""
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 1.0]])
    pools = pools_of(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 5.0], [0.0, 7.0]]), split_of((9, 9)))
    own, one = torch.tensor([2.0]), torch.tensor([8])
    image_side = -math.log(math.exp(2) / (math.exp(2) + math.exp(1) + math.exp(0)))
    text_side = -math.log(math.exp(2) / (math.exp(2) + math.exp(3)))
    loss = contrastive_pair_loss(Toy(), own, encoded_pairs(a, b, one, one), pools)
    assert loss.tolist() == pytest.approx([(image_side + text_side) / 2])


def pools_of(first, second, true) -> Pools:
    """Reference items that are numbered from 0, and the true pairs."""
    numbers = torch.arange(len(first)), torch.arange(len(second))
    return Pools(first, second, *numbers, Relations(true))


@pytest.mark.parametrize("image", [0, 7, 40])
def test_what_belongs_to_an_item_is_none_of_its_negatives(image):
    """Text 1 is the pair's own and text 2 its image's other: as if neither were in the pool."""
    torch.manual_seed(0)
    a, b, images, texts = torch.randn(1, 2), torch.randn(1, 2), torch.randn(3, 2), torch.randn(4, 2)
    texts[1] = b[0]
    pairs = encoded_pairs(a, b, torch.tensor([image]), torch.tensor([1]))
    own = (a * b).sum(1)
    true = split_of((image, 1), (image, 2), (5, 0), (1, 2))
    whole = pools_of(images, texts, true)
    others = torch.tensor([0, 3])
    kept = torch.tensor([number for number in range(3) if number != image])
    without = Pools(images[kept], texts[others], kept, others, Relations(true))
    loss = contrastive_pair_loss(Toy(), own, pairs, whole)
    torch.testing.assert_close(loss, contrastive_pair_loss(Toy(), own, pairs, without))
    assert (
        loss.item()
        < contrastive_pair_loss(Toy(), own, pairs, pools_of(images, texts, split_of((5, 0)))).item()
    )


def test_a_pool_of_nothing_but_ones_own_costs_nothing_and_has_a_gradient():
    a = torch.tensor([[1.0, 2.0]], requires_grad=True)
    pairs = encoded_pairs(a, torch.ones(1, 2), torch.tensor([0]), torch.tensor([0]))
    loss = contrastive_pair_loss(
        Toy(), (a * a).sum(1), pairs, pools_of(torch.ones(1, 2), torch.ones(1, 2), split_of((0, 0)))
    )
    (gradient,) = torch.autograd.grad(loss.sum(), a)
    assert loss.tolist() == [0.0] and gradient.tolist() == [[0.0, 0.0]]


def toy_sets(**problem) -> EvaluationSets:
    given = toy_problem(**problem)
    test = split_of((6, 9), (7, 10))
    splits = {"test": test, "retain": given.retain.split, "forget": given.forget.split}
    relations = Relations(given.retain.split, given.forget.split, test)
    return EvaluationSets(splits, test, relations, given.retain.features, Toy.modalities, rerank=2)


def test_scores_and_losses_of_every_set_by_hand():
    sets = toy_sets()
    found = measure(Toy(), sets, 0, Progress())
    x = {name: np.asarray(arrays["x"]) for name, arrays in sets.features.arrays.items()}
    for name, split in sets.splits.items():
        fused = x["image"][split.first] * x["text"][split.second]
        contrastive, matching = fused.sum(1), fused[:, 1] - fused[:, 0]
        assert found.scores["contrastive"][name] == pytest.approx(contrastive, abs=1e-5)
        assert found.scores["matching"][name] == pytest.approx(matching, abs=1e-5)
        assert found.losses["matching"][name] == pytest.approx(np.log1p(np.exp(-matching)), abs=1e-5)
        assert found.losses["contrastive"][name].shape == contrastive.shape
    assert found.utility.keys() == {"test", "retain", "forget"}
    assert found.utility["test"].keys() == {"headline", "contrastive", "matching"} | {
        f"{d}_r@{k}" for d in ("i2t", "t2i") for k in (1, 5, 10)
    }


def test_unrelated_pairs_are_never_true():
    """True pairs score 1 and all others 0: no unrelated pair may score 1."""
    sets = toy_sets()
    truth = sets.relations.matrix(torch.arange(11), torch.arange(11)).float()
    numbered = EvaluationSets(
        sets.splits, sets.reference, sets.relations, numbered_features(11), sets.modalities, sets.rerank
    )
    for seed in range(50):
        found = measure(Table(truth, truth), numbered, seed, Progress()).scores["matching"]
        assert found["unrelated"].tolist() == [0.0] * len(sets.splits["forget"])
        assert set(found["forget"]) == set(found["retain"]) == set(found["test"]) == {1.0}


def test_a_pairs_loss_does_not_depend_on_what_else_is_measured(monkeypatch):
    sets = toy_sets()
    expected = measure(Toy(), sets, 0, Progress())
    monkeypatch.setattr("mmulbench.evaluation.measure.PAIR_BLOCK", 1)
    found = measure(Toy(), sets, 0, Progress())
    for path in Toy.paths:
        assert found.losses[path]["retain"] == pytest.approx(expected.losses[path]["retain"], abs=1e-6)


def test_seed_decides_unrelated_pairs_alone():
    first, second, third = (measure(Toy(), toy_sets(), seed, Progress()) for seed in (1, 1, 2))
    assert np.array_equal(first.scores["matching"]["unrelated"], second.scores["matching"]["unrelated"])
    assert not np.array_equal(first.scores["matching"]["unrelated"], third.scores["matching"]["unrelated"])
    assert np.array_equal(first.losses["contrastive"]["forget"], third.losses["contrastive"]["forget"])


def test_a_model_is_measured_in_evaluation_mode():
    class Noisy(Toy):
        def encode(self, modality, inputs):
            assert not self.training
            return super().encode(modality, inputs)

    measure(Noisy().train(), toy_sets(features=toy_features(np.eye(8, 2), np.eye(11, 2))), 0, Progress())


def test_each_units_utility_is_the_mean_of_its_own_queries():
    """Six measures a unit, as in the headline; with one measure named, that one alone."""
    sets = replace(toy_sets(), galleries={"forget": toy_sets().splits["test"]})
    found = measure(Toy(), sets, 0, Progress())
    by_unit = evaluate_retrieval(
        Toy(),
        sets.splits["forget"],
        sets.relations,
        sets.features,
        sets.rerank,
        Progress(),
        "",
        distractors=sets.splits["test"],
    ).by_unit
    assert found.unit_utility is not None
    assert found.unit_utility == pytest.approx(by_unit.mean((1, 2)))
    for name, place in (("i2t_r@1", (0, 0)), ("t2i_r@5", (1, 1))):
        named = measure(Toy(), replace(sets, headline=name), 0, Progress())
        assert named.unit_utility == pytest.approx(by_unit[:, *place])
        if name.startswith("i2t"):
            assert named.unit_utility.mean() == pytest.approx(named.utility["forget"]["headline"].value)


def test_the_share_of_right_pairs_is_a_units_utility_in_classification():
    given = labelled_problem(forget=(0, 1, 2))
    split, relations = given.forget.split, given.forget.relations
    splits = {"test": split, "retain": given.retain.split, "forget": split}
    sets = EvaluationSets(splits, split, relations, given.forget.features, Toy.modalities, 2, classes=3)
    found = measure(given.original, sets, 0, Progress())
    assert found.unit_utility is not None and len(found.unit_utility) == len(split.units)
    pairs = np.bincount(np.unique(split.first, return_inverse=True)[1])
    accuracy = np.average(found.unit_utility, weights=pairs)
    assert accuracy == pytest.approx(found.utility["forget"]["accuracy"].value)


@pytest.mark.parametrize("most", [1, 2, 9])
def test_representations_of_test_items_are_kept(most, monkeypatch):
    monkeypatch.setattr("mmulbench.evaluation.measure.POOLED_ITEMS", most)
    sets = toy_sets()
    found, again = (measure(Toy(), sets, seed, Progress()).pooled for seed in (0, 1))
    test = sets.splits["test"]
    for modality, items in (("image", test.first), ("text", test.second)):
        rows = np.asarray(sets.features.arrays[modality]["x"])[np.unique(items)]
        assert np.array_equal(found[modality], again[modality])
        assert found[modality].dtype == np.float64
        assert found[modality].shape == (min(most, len(rows)), 2)
        assert all(any(np.allclose(row, one) for one in rows) for row in found[modality])
        if most >= len(rows):
            assert found[modality] == pytest.approx(rows)
