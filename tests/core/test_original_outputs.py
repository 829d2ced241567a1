from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from toys import CPU, Toy, split_of, toy_problem, whole

from mmulbench.core import original_outputs as module
from mmulbench.core.cost import CostMeter
from mmulbench.core.original_outputs import OriginalOutputs, compute_outputs


@pytest.fixture(params=["tokens kept", "tokens recomputed"])
def outputs(request, monkeypatch, original, emoji):
    if request.param == "tokens recomputed":
        monkeypatch.setattr(module, "TOKEN_BUDGET", 0)
    tensors, _ = compute_outputs(original, emoji.data.train, emoji.features, block=100)
    assert ("image.tokens" in tensors) == (request.param == "tokens kept")

    def load(compute):
        return compute_outputs(original, emoji.data.train, emoji.features, block=100)

    return OriginalOutputs(original, emoji.data.train, emoji.features, load, CostMeter(CPU))


@pytest.fixture(params=["forget", "retain"])
def batch(request, make_problem):
    data = getattr(make_problem(), request.param)
    return data.batch(torch.arange(len(data.split)).numpy()[::7].copy())


@torch.no_grad()
def test_cached_outputs_are_those_of_a_direct_pass(outputs, batch, original):
    direct = original(batch)
    near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
    for modality in original.modalities:
        encoded = outputs.encoded(modality, batch.items(modality))
        expected = original.encode(modality, batch.inputs(modality))
        torch.testing.assert_close(encoded.tokens, expected.tokens, **near)
        assert torch.equal(encoded.mask, expected.mask)
        torch.testing.assert_close(encoded.pooled, expected.pooled, **near)
        unimodal = outputs.unimodal(modality, batch.items(modality))
        torch.testing.assert_close(unimodal, direct.unimodal[modality], **near)
    torch.testing.assert_close(outputs.fused(batch), direct.fused, **near)
    logits = outputs.logits(batch)
    assert logits.keys() == direct.logits.keys()
    for path, value in logits.items():
        torch.testing.assert_close(value, direct.logits[path], rtol=1e-3, atol=1e-4)


def test_any_pairing_can_be_fused():
    given = toy_problem()
    fused = given.outputs.fused_pairs(split_of((0, 5), (3, 8)))
    x = {name: arrays["x"] for name, arrays in given.retain.features.arrays.items()}
    torch.testing.assert_close(fused, x["image"][[0, 3]] * x["text"][[5, 8]])


def test_rows_of_forget_and_retain_batches_lead_to_their_own_fused_outputs():
    given = toy_problem(forget=(1, 4))
    for data in (given.forget, given.retain):
        batch = whole(data)
        expected = batch.inputs("image")["x"] * batch.inputs("text")["x"]
        torch.testing.assert_close(given.outputs.fused(batch), expected)


def test_outputs_carry_no_gradient():
    given = toy_problem()
    batch = whole(given.retain)
    given.original.requires_grad_(True)
    tensors = [given.outputs.fused(batch), given.outputs.unimodal("image", batch.first)]
    tensors += [*given.outputs.logits(batch).values(), given.outputs.fused_pairs(batch_pairs(batch))]
    assert not any(tensor.requires_grad for tensor in tensors)


def batch_pairs(batch):
    return split_of(*zip(batch.first.tolist(), batch.second.tolist(), strict=True))


def test_the_cost_is_charged_once_even_from_a_cache():
    given = toy_problem()
    train = split_of(*batch_pairs(whole(given.forget)).first[:, None].repeat(2, 1).tolist())
    ready = compute_outputs(given.original, train, given.retain.features)
    assert ready[1].flops > 0 and ready[1].samples == 2 + 2 + 4
    meter = CostMeter(CPU)
    outputs = OriginalOutputs(Toy(), train, given.retain.features, lambda compute: ready, meter)
    assert meter.cost().flops == 0
    for _ in range(3):
        outputs.unimodal("image", torch.tensor([0, 1]))
    assert (meter.cost().flops, meter.cost().samples, meter.cost().steps) == (ready[1].flops, 8, 0)


@pytest.mark.parametrize("cached", [True, False])
def test_a_step_that_asks_first_costs_the_same_whether_cached_or_not(cached):
    """Computing inside a counted step would otherwise be charged again for every later sample."""
    given = toy_problem()
    train, features = split_of((0, 0), (1, 1)), given.retain.features
    ready = compute_outputs(given.original, train, features)
    meter = CostMeter(CPU)
    outputs = OriginalOutputs(
        given.original, train, features, lambda compute: ready if cached else compute(), meter
    )

    def work():
        return outputs.unimodal("image", torch.tensor([0, 1])) @ torch.ones(2, 3)

    with FlopCounterMode(display=False) as counter:
        torch.ones(2, 2) @ torch.ones(2, 3)
    own = counter.get_total_flops()
    for _ in range(2):
        meter.step("work", 2, work)
    assert meter.cost().flops == ready[1].flops + 2 * own


def test_outputs_refuse_what_the_original_was_not_trained_on():
    given = toy_problem()
    held_out = next(given.validation.epoch(2, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="training items only"):
        given.outputs.encoded_batch(held_out)
    with pytest.raises(ValueError, match="training items only"):
        given.outputs.unimodal("image", held_out.first)
    with pytest.raises(ValueError, match="training pairs only"):
        given.outputs.fused(held_out)
