"""Retrieval in folds of a gallery's size, and blocks whose size follows from how large tokens are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import Table, Toy, encoded_pairs, numbered_features, split_of, toy_features, toy_problem

from mmulbench.core.data import Relations
from mmulbench.core.encoding import ItemEncoder, block_size
from mmulbench.core.model import EncoderOutput
from mmulbench.core.original_outputs import compute_outputs
from mmulbench.core.registry import TASKS
from mmulbench.evaluation import retrieval
from mmulbench.evaluation.measure import PAIR_BLOCK, EvaluationSets, measure
from mmulbench.evaluation.pair_losses import Pools, contrastive_pair_loss
from mmulbench.evaluation.retrieval import evaluate_retrieval, gallery_folds
from mmulbench.metrics.utility import mean_utility, retrieval_utility
from mmulbench.progress import Progress

UNITS = 12
PAIRED = split_of(*((i, text) for i in range(UNITS) for text in (2 * i, 2 * i + 1)))
"""Twelve images, each with two texts of its own."""


def evaluated(model, split, gallery: int, rerank: int = 4):
    features = numbered_features(2 * UNITS)
    return evaluate_retrieval(
        model, split, Relations(PAIRED), features, rerank, Progress(), "retrieval", gallery
    ).utility


def random_model() -> Table:
    torch.manual_seed(1)
    return Table(torch.randn(UNITS, 2 * UNITS), torch.randn(UNITS, 2 * UNITS))


@pytest.mark.parametrize("gallery", [0, UNITS, UNITS + 1])
def test_a_set_that_fits_is_one_gallery_as_it_is(gallery):
    (only,) = gallery_folds(PAIRED, gallery)
    assert only is PAIRED
    assert evaluated(random_model(), PAIRED, gallery) == evaluated(random_model(), PAIRED, 0)


def test_folds_are_disjoint_full_and_the_same_each_time():
    folds = gallery_folds(PAIRED, 5)
    assert [len(fold.units) for fold in folds] == [5, 5]
    assert not set(folds[0].units) & set(folds[1].units)
    for fold in folds:
        assert fold.second.tolist() == [text for unit in fold.units for text in (2 * unit, 2 * unit + 1)]
    again = gallery_folds(PAIRED, 5)
    assert [fold.units.tolist() for fold in again] == [fold.units.tolist() for fold in folds]
    assert folds[0].units.tolist() != [0, 1, 2, 3, 4]


def test_so_many_folds_are_measured_and_no_more(monkeypatch):
    assert len(gallery_folds(PAIRED, 2)) == retrieval.FOLDS == 5
    monkeypatch.setattr("mmulbench.evaluation.retrieval.FOLDS", 2)
    assert len(gallery_folds(PAIRED, 2)) == 2


def test_recall_over_folds_is_that_of_each_fold_on_its_own():
    """By hand: each fold measured as a whole set, weighted by its queries."""
    found = evaluated(random_model(), PAIRED, 5)
    alone = [evaluated(random_model(), fold, 0) for fold in gallery_folds(PAIRED, 5)]
    for direction, queries in (("first_to_second", 10), ("second_to_first", 20)):
        for k in (1, 5, 10):
            one, two = (getattr(part, direction)[k] for part in alone)
            both = getattr(found, direction)[k]
            assert both.n == queries
            assert both.value == pytest.approx((one.value + two.value) / 2)
            assert both.chance == pytest.approx((one.chance + two.chance) / 2)
    assert found.second_to_first[1].chance == pytest.approx(1 / 5)
    assert evaluated(random_model(), PAIRED, 0).second_to_first[1].chance == pytest.approx(1 / UNITS)


def test_a_text_is_no_rival_outside_its_fold():
    """Every image prefers a text of another fold: wrong in one gallery, right in folds."""
    first, second = gallery_folds(PAIRED, 6)
    similarity = torch.zeros(UNITS, 2 * UNITS)
    similarity[PAIRED.first, PAIRED.second] = 1.0
    similarity[first.units, second.second[0]] = 9.0
    similarity[second.units, first.second[0]] = 9.0
    model = Table(similarity, torch.zeros(UNITS, 2 * UNITS))
    assert evaluated(model, PAIRED, 0, rerank=1).first_to_second[1].value == 0.0
    assert evaluated(model, PAIRED, 6, rerank=1).first_to_second[1].value == 1.0


def test_the_mean_of_unequal_galleries_is_weighted_by_queries():
    def part(ranks, gallery):
        counts = np.ones(len(ranks), dtype=int)
        return retrieval_utility(
            np.array(ranks),
            np.array(ranks),
            first_relevant_counts=counts,
            second_relevant_counts=counts,
            first_gallery=gallery,
            second_gallery=gallery,
        )

    found = mean_utility([part([0, 0, 0], 10), part([7], 20)])
    assert found.first_to_second[1].value == pytest.approx(3 / 4)
    assert found.first_to_second[1].chance == pytest.approx((3 / 10 + 1 / 20) / 4)
    assert found.n == 8


def sets_of(gallery: int) -> EvaluationSets:
    splits = {"test": split_of((0, 0), (1, 2)), "retain": PAIRED, "forget": split_of((2, 4), (3, 6))}
    return EvaluationSets(
        splits,
        splits["test"],
        Relations(PAIRED),
        numbered_features(2 * UNITS),
        Toy.modalities,
        rerank=2,
        gallery=gallery,
    )


def test_a_model_is_measured_in_the_galleries_of_its_task():
    whole, folds = (measure(random_model(), sets_of(gallery), 0, Progress()) for gallery in (0, 6))
    assert folds.utility["retain"]["i2t_r@1"].chance > whole.utility["retain"]["i2t_r@1"].chance
    for name in ("test", "forget"):
        assert folds.utility[name] == whole.utility[name]
    for path, by_set in whole.scores.items():
        for name, scores in by_set.items():
            assert np.array_equal(folds.scores[path][name], scores)


@pytest.mark.parametrize(("of_task", "of_model", "expected"), [(0, 6, 6), (6, 4, 4), (4, 6, 4), (6, 0, 6)])
def test_a_model_can_ask_for_smaller_galleries(of_task, of_model, expected, monkeypatch):
    monkeypatch.setattr(Table, "largest_gallery", of_model)
    found = measure(random_model(), sets_of(of_task), 0, Progress()).utility
    monkeypatch.setattr(Table, "largest_gallery", 0)
    assert found == measure(random_model(), sets_of(expected), 0, Progress()).utility


def test_galleries_of_the_tasks():
    sizes = {name: TASKS.get(name).gallery for name in ("emoji", "flags", "flickr30k", "coco")}
    assert sizes == {"emoji": 0, "flags": 0, "flickr30k": 1000, "coco": 5000}


@pytest.mark.parametrize(
    ("item_bytes", "expected"), [(0, 512), (8, 512), (2**19, 512), (2**20, 256), (2**28, 1), (2**40, 1)]
)
def test_blocks_shrink_where_tokens_are_large(item_bytes, expected):
    assert block_size(512, item_bytes) == expected


class Watched(Toy):
    """Remembers how many items are encoded and fused at once."""

    def __init__(self):
        super().__init__()
        self.encoded: list[int] = []
        self.fused: list[int] = []

    def encode(self, modality, inputs):
        self.encoded.append(len(inputs["x"]))
        return super().encode(modality, inputs)

    def fuse(self, a, b):
        self.fused.append(len(a))
        return super().fuse(a, b)


TOKEN = 8
"""Bytes of a toy item's tokens: two floats."""


@pytest.fixture
def random_sets() -> EvaluationSets:
    rng = np.random.default_rng(0)
    features = toy_features(rng.normal(size=(UNITS, 2)), rng.normal(size=(2 * UNITS, 2)))
    return replace(sets_of(0), features=features)


def test_what_is_measured_does_not_depend_on_the_blocks(random_sets, monkeypatch):
    usual, small = Watched(), Watched()
    expected = measure(usual, random_sets, 0, Progress())
    assert max(usual.encoded) == 2 * UNITS
    monkeypatch.setattr("mmulbench.core.encoding.BLOCK_BYTES", 5 * TOKEN)
    monkeypatch.setattr("mmulbench.evaluation.pair_losses.POOL_BLOCK", 4)
    found = measure(small, random_sets, 0, Progress())
    assert max(small.encoded) == 5
    assert max(small.fused) == 2, "a pair has two items"
    assert found.utility == expected.utility
    for kind in ("scores", "losses"):
        for path, by_set in getattr(expected, kind).items():
            for name, values in by_set.items():
                assert getattr(found, kind)[path][name] == pytest.approx(values, abs=1e-6)


def test_usual_blocks_of_pairs_are_not_cut(random_sets):
    assert ItemEncoder(Toy(), random_sets.features).block(PAIR_BLOCK, "image", "text") == 2048


def test_pooled_outputs_keep_no_tokens(random_sets):
    class Views(Toy):
        def encode(self, modality, inputs):
            tokens = super().encode(modality, inputs).tokens.repeat(1, 50, 1)
            return EncoderOutput(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool), tokens[:, 0])

    items = torch.arange(UNITS)
    pooled = ItemEncoder(Views(), random_sets.features).pooled("image", items)
    assert torch.equal(pooled, random_sets.features.arrays["image"]["x"])
    assert pooled.untyped_storage().nbytes() == UNITS * TOKEN


def test_pools_in_parts_give_the_same_loss(monkeypatch):
    torch.manual_seed(0)
    first, second = torch.arange(9), torch.arange(9)
    relations = Relations(split_of(*((i, i) for i in range(9)), (8, 1)))
    pools = Pools(torch.randn(4, 2), torch.randn(6, 2), torch.arange(4), torch.arange(6), relations)
    own, pairs = torch.randn(9), encoded_pairs(torch.randn(9, 2), torch.randn(9, 2), first, second)
    expected = contrastive_pair_loss(Toy(), own, pairs, pools)
    monkeypatch.setattr("mmulbench.evaluation.pair_losses.POOL_BLOCK", 12)
    torch.testing.assert_close(contrastive_pair_loss(Toy(), own, pairs, pools), expected)


@pytest.mark.parametrize("budget", [0, 2**30])
def test_outputs_in_small_blocks_are_the_same(budget, monkeypatch):
    problem = toy_problem()
    train = problem.retain.split
    monkeypatch.setattr("mmulbench.core.original_outputs.TOKEN_BUDGET", budget)
    expected, cost = compute_outputs(Toy(), train, problem.retain.features)
    monkeypatch.setattr("mmulbench.core.encoding.BLOCK_BYTES", 2 * TOKEN)
    model = Watched()
    found, small_cost = compute_outputs(model, train, problem.retain.features)
    assert max(model.encoded) == 2
    assert set(model.fused) == {1}
    assert found.keys() == expected.keys()
    assert ("image.tokens" in found) == bool(budget)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
        assert found[name].untyped_storage().nbytes() == found[name].nbytes
    assert small_cost.samples == cost.samples


def test_texts_of_equal_length_are_fused_side_by_side_and_nothing_changes(emoji, original, monkeypatch):
    split = emoji.data.test
    features, rerank = emoji.features, emoji.task.rerank

    def found():
        return evaluate_retrieval(original, split, emoji.relations, features, rerank, Progress(), "")

    fused: list[int] = []
    whole = type(original).fuse

    def counted(model, a, b):
        fused.append(b.tokens.shape[0] * b.tokens.shape[1])
        return whole(model, a, b)

    monkeypatch.setattr(type(original), "fuse", counted)
    trimmed, places = found(), sum(fused)
    fused.clear()
    monkeypatch.setattr(EncoderOutput, "trimmed", lambda encoded: encoded)
    assert np.array_equal(trimmed.by_unit, found().by_unit, equal_nan=True)
    assert places < 0.7 * sum(fused)
