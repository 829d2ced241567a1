from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from toys import Toy, changed, state_of, toy_problem

from mmulbench.core.backbone import TaskShape
from mmulbench.core.registry import BACKBONES
from mmulbench.methods._blocks import blocks, last_blocks
from mmulbench.methods.cf_k import CfK
from mmulbench.methods.eu_k import EuK
from mmulbench.methods.finetune import Finetune

SETTINGS: dict[str, Any] = {"epochs": 2, "lr": 0.01, "batch_size": 2}


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, {"matching.weight"}),
        (2, {"fusion.weight", "matching.weight"}),
        (3, {"text.weight", "fusion.weight", "matching.weight"}),
    ],
)
@pytest.mark.parametrize("cls", [CfK, EuK])
def test_only_the_last_k_blocks_change(cls, k, expected):
    given = toy_problem()
    before = state_of(given.original)
    assert changed(before, cls(cls.Config(k=k, **SETTINGS)).unlearn(given)) == expected


def test_with_all_blocks_it_is_finetune():
    model = CfK(CfK.Config(k=99, **SETTINGS)).unlearn(toy_problem())
    plain = Finetune(Finetune.Config(**SETTINGS)).unlearn(toy_problem())
    assert not changed(state_of(plain), model)


def tripled() -> Toy:
    model = Toy()
    for parameter in model.parameters():
        parameter.data *= 3
    return model


def test_eu_k_starts_anew_in_the_last_blocks_alone():
    given = toy_problem(original=tripled())  # a fresh model is the identity
    model = EuK(EuK.Config(k=1)).start(given)
    assert changed(state_of(Toy()), model) == {"image.weight", "text.weight", "fusion.weight"}
    assert changed(state_of(tripled()), model) == {"matching.weight"}
    assert not changed(state_of(tripled()), given.original)
    assert not changed(state_of(tripled()), CfK(CfK.Config(k=1)).start(given))


class Interleaved(Toy):
    """Its text encoder is a list of layers whose second part belongs to the fusion group."""

    def __init__(self):
        super().__init__()
        self.slots = nn.Parameter(torch.eye(2))
        self.text = nn.ModuleList(
            nn.ModuleDict({"own": nn.Linear(2, 2), "cross": nn.Linear(2, 2)}) for _ in "ab"
        )

    def fusion_parameters(self):
        cross = [p for layer in self.text for p in layer["cross"].parameters()]
        return [*cross, *super().fusion_parameters()]


def test_the_fusion_group_comes_last_and_splits_layers():
    found = blocks(Interleaved())
    assert found == [
        ["slots"],
        ["image.weight"],
        ["text.0.own.weight", "text.0.own.bias"],
        ["text.1.own.weight", "text.1.own.bias"],
        ["text.0.cross.weight", "text.0.cross.bias"],
        ["text.1.cross.weight", "text.1.cross.bias"],
        ["fusion.weight"],
        ["matching.weight"],
    ]


class Normed(Toy):
    """A norm after each of two maps, a scale of the model's own, and a list in a list."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(self.text.weight.detach()[0, 0].clone())
        self.image = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
        inner = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, bias=False))
        self.matching = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.ReLU(), inner)

    def fusion_parameters(self):
        return [self.fusion.weight, *self.matching.parameters()]


def test_a_norm_belongs_to_the_block_before_it_and_an_entry_of_a_list_stays_whole():
    assert blocks(Normed()) == [
        ["scale"],
        ["image.0.weight", "image.0.bias", "image.1.weight", "image.1.bias"],
        ["text.weight"],
        ["fusion.weight"],
        ["matching.0.weight", "matching.0.bias", "matching.1.weight", "matching.1.bias"],
        ["matching.3.0.weight", "matching.3.0.bias", "matching.3.1.weight"],
    ]


CASES = {
    "albef:packaged": (TaskShape(), ["fusion.0", "matching"]),
    "albef:small": (TaskShape(), ["fusion.1", "matching"]),
    "albef:tiny": (TaskShape(3, 2), ["classes.0", "classes.2"]),
    "gtnn:packaged": (TaskShape(2), ["fusion.3", "classes"]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_last_two_blocks_of_real_models(name):
    family, _, variant = name.partition(":")
    shape, last = CASES[name]
    model = BACKBONES.get(family)(variant).build(shape)
    named = [name for name, _ in model.named_parameters()]
    assert last_blocks(model, 2) == [name for name in named if name.rpartition(".")[0].startswith((*last,))]
    assert sorted(last_blocks(model, 999)) == sorted(named), "every parameter is in exactly one block"
