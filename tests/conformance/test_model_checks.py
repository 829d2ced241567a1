"""Each check of what the models of a backbone compute finds what it is there for, and says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from plain_backbone import WIDTH, Plain, PlainModel, assert_found_alone, with_model
from torch import nn

from mmulbench.conformance.model_checks import MODEL_CHECKS
from mmulbench.core.model import EncoderOutput


class Boastful(Plain):
    serves = ("retrieval", "classification")


def wide_head(self, fused):
    return torch.cat([self.classes(fused)] * 2, 1)


def float_mask(self, ids, mask):
    found = PlainModel.encode_text(self, ids, mask)
    return replace(found, mask=found.mask.float())


def scaled_by_the_batch(self, a, b, targets):
    output = PlainModel.forward_encoded(self, a, b, targets)
    return replace(output, loss=output.loss * a.pooled.std(0).mean())


class Spare(PlainModel):
    def __init__(self, config, shape):
        super().__init__(config, shape)
        self.spare = nn.Linear(2, 2)


class Frozen(PlainModel):
    def __init__(self, config, shape):
        super().__init__(config, shape)
        self.words.requires_grad_(False)


class Hidden(PlainModel):
    def __init__(self, config, shape):
        super().__init__(config, shape)
        self.shift = torch.randn(WIDTH)

    def fuse(self, a, b):
        return super().fuse(a, b) + self.shift


def skimming(self, ids, mask):
    found = PlainModel.encode_text(self, ids, mask)
    return replace(found, pooled=found.tokens[:, 0])


def half_blind(self, a, b):
    return PlainModel.fuse(self, replace(a, tokens=a.tokens[:, 1:], mask=a.mask[:, 1:]), b)


def placeless(self, modality, inputs):
    found = PlainModel.encode(self, modality, inputs)
    if modality == "text" or len(self.places) == 1:
        return found
    tokens = self.colours(inputs["colours"]).sum(1).repeat(1, 2, 1) * self.places.sum()
    return replace(found, tokens=tokens, pooled=tokens.mean(1))


def careless_encoder(self, ids, mask):
    tokens = self.words(ids)
    return EncoderOutput(tokens, mask, tokens.mean(1))


def careless_fusion(self, a, b):
    return PlainModel.fuse(self, a, replace(b, mask=torch.ones_like(b.mask)))


def centred(self, modality, inputs):
    found = PlainModel.encode(self, modality, inputs)
    return replace(found, tokens=found.tokens - found.tokens.mean((0, 1)))


def wasteful(self, a, b):
    torch.rand(())
    return PlainModel.fuse(self, a, b)


def wavering(self, fused):
    return self.classes(fused) + torch.rand(len(fused), len(self.classes.bias))


def optimistic(self, a, b, labels=None):
    found = PlainModel.association(self, a, b, labels)
    return {path: value + 1 for path, value in found.items()}


def trained_otherwise(self, a, b, targets):
    output = PlainModel.forward_encoded(self, a, b, targets)
    return replace(output, unimodal={**output.unimodal, "text": b.tokens[:, 0]})


def greedy(self):
    return [*PlainModel.fusion_parameters(self), self.places]


def modest(self):
    return list(self.joined.parameters())


VIOLATIONS = {
    "a kind too many": (Boastful, "serves_the_kinds_it_names", "returned a PlainModel for retrieval: extend"),
    "a wide head": (with_model(head=wide_head), "serves_the_kinds_it_names", "head is (4, 6), not (4, 3)"),
    "a float mask": (
        with_model(encode_text=float_mask),
        "serves_the_kinds_it_names",
        "text is torch.float32",
    ),
    "a batch of one": (
        with_model(forward_encoded=scaled_by_the_batch),
        "gives_finite_numbers",
        "loss of a batch of one pair is infinite or NaN",
    ),
    "an unused layer": (
        type("Planted", (Plain,), {"model": Spare}),
        "trains_every_parameter",
        "spare.weight and 1 more never learns: use it",
    ),
    "a frozen layer": (
        type("Planted", (Plain,), {"model": Frozen}),
        "trains_every_parameter",
        "words.weight wants no gradient: what never trains belongs in prepare",
    ),
    "an encoder in the fusion group": (
        with_model(fusion_parameters=greedy),
        "names_its_fusion_parameters",
        "places is in fusion_parameters, but encoding uses it",
    ),
    "no head in the fusion group": (
        with_model(fusion_parameters=modest),
        "names_its_fusion_parameters",
        "classes.bias and 1 more is used behind the encoders",
    ),
    "one word alone": (
        with_model(encode_text=skimming),
        "reads_every_part",
        "word 2 of 7 and 5 more of text never reaches the unimodal representation",
    ),
    "a blind quarter": (
        with_model(fuse=half_blind),
        "reads_every_part",
        "the upper left quarter of image never reaches the fused representation",
    ),
    "places alike": (with_model(encode=placeless), "keeps_places_apart", "swapped is the same"),
    "padding in the encoder": (
        with_model(encode_text=careless_encoder),
        "ignores_padding",
        "the inputs of text at places that their mask leaves out reach the encoder's output",
    ),
    "padding in the fusion": (
        with_model(fuse=careless_fusion),
        "ignores_padding",
        "tokens that the mask leaves out reach the fused representation",
    ),
    "the mean of the batch": (
        with_model(encode=centred),
        "judges_each_pair_by_itself",
        "of a pair depends on the other pairs of its batch",
    ),
    "random numbers unused": (
        with_model(fuse=wasteful),
        "evaluates_the_same_again",
        "judging pairs moved the global generator of torch",
    ),
    "random logits": (with_model(head=wavering), "evaluates_the_same_again", "differs when asked for again"),
    "another association": (
        with_model(association=optimistic),
        "agrees_with_itself",
        "is not that of its logits",
    ),
    "another unimodal output": (
        with_model(forward_encoded=trained_otherwise),
        "agrees_with_itself",
        "another unimodal representation of text than encode",
    ),
    "weights outside the state dict": (
        type("Planted", (Plain,), {"model": Hidden}),
        "is_its_weights",
        "differs in a model with the same state dict",
    ),
}

ALSO: dict[str, str | frozenset[str]] = {
    "a kind too many": "all that builds a model for retrieval",
    "a float mask": "all that reads the mask",
    "the mean of the batch": frozenset({"ignores_padding"}),
    "random logits": frozenset({"judges_each_pair_by_itself", "agrees_with_itself", "is_its_weights"}),
}
"""What else such a backbone must fail."""


@pytest.mark.parametrize("planted", VIOLATIONS)
def test_a_violation_is_found_by_its_check_alone(planted):
    assert_found_alone(VIOLATIONS[planted], ALSO.get(planted, frozenset()))


def test_every_check_has_a_violation():
    assert {name for _, name, _ in VIOLATIONS.values()} == {check.__name__ for check in MODEL_CHECKS}
