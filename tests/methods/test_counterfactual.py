from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from toys import TWO_PAIRS, Toy, toy_problem, two_pair_loss, whole

from mmulbench import NotApplicable
from mmulbench.conformance.tiny_problems import tiny_problem
from mmulbench.methods._confidence import Level, encode_together, original_confidences, ranks_of
from mmulbench.methods.counterfactual import Counterfactual

PATHS = ("contrastive", "matching")


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def surest(losses: tuple[float, float]) -> float:
    """log p / (1 - p) of a pair whose loss is the mean of two."""
    return -math.log(math.expm1(sum(losses) / 2))


DELETED = {
    "contrastive": surest((softplus(math.log(math.e + math.e**2) - 2), softplus(math.log(2 * math.e) - 2))),
    "matching": 0.0,
}
"""How sure the toy is of image (1, 1) with text (1, 1); images (1, 0), (0, 1), texts (1, 0), (0, 2) are held
out."""

HELD_OUT = {
    "contrastive": (surest((softplus(-1),) * 2), surest((softplus(-2),) * 2)),
    "matching": (-1.0, 2.0),
}


def given():
    """Pair 2 is Df; pairs 0 and 1 are Dr and held out alike."""
    pairs = ((0, 0), (1, 1), (2, 2))
    found = toy_problem(pairs=pairs, forget=(2,), features=TWO_PAIRS, held_out=pairs[:2])
    return found, (whole(found.forget), whole(found.retain), whole(found.validation))


def loss(ranks: float, level: Level, **settings: Any) -> float:
    problem, batches = given()
    method = Counterfactual(
        Counterfactual.Config(**{"strength": 0.0, "anchor": 0.0, "kept": 0.0, **settings})
    )
    at_rows = {path: torch.full((3,), ranks) for path in PATHS}
    return method.loss(Toy(), at_rows, dict.fromkeys(PATHS, level), batches, problem).item()


def test_original_is_sure_of_held_out_pairs():
    problem, _ = given()
    found = original_confidences(problem, problem.validation)
    for path in PATHS:
        assert found[path].tolist() == pytest.approx(HELD_OUT[path], rel=1e-5)


def test_dr_teaches_its_own_loss_and_the_originals_belief():
    """The toy is the original, so that its divergence from it is nothing."""
    assert loss(0.5, Level(0, 1)) == pytest.approx(two_pair_loss(), rel=1e-5)
    assert loss(0.5, Level(0, 1), kept=0.25) == pytest.approx(0.75 * two_pair_loss(), rel=1e-5)


@pytest.mark.parametrize("rank", [0.0, 0.25, 1.0])
def test_targets_are_quantiles_of_held_out_pairs(rank):
    sd, want = 2.0, 0.0
    for path in PATHS:
        low, high = sorted(HELD_OUT[path])
        want += ((DELETED[path] - (low + rank * (high - low))) / sd) ** 2 / len(PATHS)
    found = loss(rank, Level(0, sd), strength=3.0) - two_pair_loss()
    assert found == pytest.approx(3 * want, rel=1e-4)


def test_anchor_is_the_shift_of_the_mean():
    want = sum(((sum(HELD_OUT[path]) / 2 - 0.75) / 2) ** 2 for path in PATHS) / len(PATHS)
    found = loss(0.5, Level(0.75, 2.0), anchor=3.0) - two_pair_loss()
    assert found == pytest.approx(3 * want, rel=1e-4)


def test_ranks_lie_evenly_and_equal_scores_share_theirs():
    assert ranks_of(torch.tensor([3.0, 1.0, 2.0, 2.0])).tolist() == [0.875, 0.125, 0.5, 0.5]
    assert ranks_of(torch.zeros(3)).tolist() == [0.5, 0.5, 0.5]


def test_batches_encoded_together_are_those_encoded_alone():
    problem, batches = given()
    for pairs, batch in zip(encode_together(problem.original, batches), batches, strict=True):
        a, b = problem.original.encode_batch(batch)
        assert torch.equal(pairs.a.tokens, a.tokens) and torch.equal(pairs.b.pooled, b.pooled)
        assert torch.equal(pairs.first, batch.first) and torch.equal(pairs.second, batch.second)


@pytest.mark.parametrize("order", ["own", "mean"])
def test_orders_to_compare_with(order):
    problem, _ = given()
    problem = replace(problem, forget=replace(problem.retain, sampling="pair"))
    ranks = Counterfactual(Counterfactual.Config(order=order))._ranks(problem)
    want = [0.5, 0.5] if order == "mean" else [0.25, 0.75]
    assert all(found[:2].tolist() == want for found in ranks.values())


def test_too_few_held_out_pairs_are_refused():
    problem = toy_problem()
    with pytest.raises(NotApplicable, match="its targets come from validation pairs"):
        Counterfactual().unlearn(problem)


def test_deleted_pairs_end_at_their_targets():
    """Where all have the middle rank, they end close to the middle of the held-out pairs."""
    apart = {}
    for strength in (0.0, 5.0):
        problem = tiny_problem("classification")
        config = Counterfactual.Config(epochs=12, lr=1e-2, strength=strength, order="mean")
        ended = replace(problem, original=Counterfactual(config).unlearn(problem))
        found, held_out = (
            original_confidences(ended, data)["classification"]
            for data in (problem.forget, problem.validation)
        )
        apart[strength] = float((found - held_out.median()).abs().mean())
    assert apart[0.0] > 3 * apart[5.0], apart
