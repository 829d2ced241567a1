from __future__ import annotations

import math

import pytest
from labelled_toys import OnePath
from toys import Toy, toy_problem, two_pair_loss, two_pair_problem, whole

from mmulbench.core.registry import TASKS
from mmulbench.errors import NotApplicable
from mmulbench.methods.clip_erase import ClipErase


def student():
    """Similarities doubled: [[2, 0], [0, 4]] on pairs 0 and 1."""
    model = Toy()
    model.image.weight.data *= 2
    return model


def softened(gap: float, other: float) -> float:
    p, q = 1 / (1 + math.exp(-gap)), 1 / (1 + math.exp(-other))
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


FORGOTTEN = (2 + 4) / (1 + 2)
"""The original's were half as much."""

CONSISTENCY = 2 * (softened(1, 2) + softened(2, 4)) / 2
"""Rows and columns alike."""


def own_loss():
    contrastive = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-4))) / 2
    matching = (math.log(1 + math.exp(2)) + math.log(1 + math.exp(-4))) / 2
    return contrastive + matching


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (3, 1, 3)])
def test_each_term_alone_and_weighted(weights):
    given = two_pair_problem(forget=(0, 1))
    forget, retain, consistency = weights
    method = ClipErase(ClipErase.Config(forget=forget, retain=retain, consistency=consistency))
    batch = whole(given.forget)
    expected = forget * FORGOTTEN + retain * own_loss() + consistency * CONSISTENCY
    assert method.loss(student(), batch, batch, given).item() == pytest.approx(expected, rel=1e-5)


def test_the_original_is_consistent_with_itself():
    given = two_pair_problem()
    method = ClipErase(ClipErase.Config(forget=0.0, consistency=5.0))
    batch = whole(given.retain)
    assert method.loss(Toy(), batch, batch, given).item() == pytest.approx(two_pair_loss(), rel=1e-5)


def test_similarity_of_deleted_pairs_falls():
    given = toy_problem()
    model = ClipErase(ClipErase.Config(epochs=5, lr=0.01)).unlearn(given)
    batch = whole(given.forget)

    def similarity(one):
        a, b = one.encode_batch(batch)
        return one.similarity(a.pooled, b.pooled).diagonal().mean().item()

    assert similarity(model) < similarity(given.original)


def test_needs_a_contrastive_path():
    with pytest.raises(NotApplicable, match="contrastive similarity, which this backbone lacks"):
        ClipErase().unlearn(toy_problem(original=OnePath("matching")))


def test_needs_retrieval():
    assert ClipErase.applies_to(TASKS.get("emoji")()) is None
    assert "a classifier has none" in ClipErase.applies_to(TASKS.get("emoji_nlvr")())
