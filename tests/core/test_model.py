from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from toys import Toy, toy_problem, whole

from mmulbench.core.backbone import Backbone, RawItems
from mmulbench.core.model import EncoderOutput, of_like_length


def test_encoded_is_indexed_as_a_whole():
    tokens, mask = torch.arange(12.0).reshape(3, 2, 2), torch.tensor([[1, 1], [1, 0], [1, 1]]) > 0
    some = EncoderOutput(tokens, mask, tokens[:, 0])[torch.tensor([1, 1, 0])].to(torch.device("cpu"))
    assert len(some) == 3
    assert torch.equal(some.tokens, tokens[[1, 1, 0]])
    assert some.mask.tolist() == [[True, False], [True, False], [True, True]]
    assert torch.equal(some.pooled, tokens[[1, 1, 0], 0])


@pytest.mark.parametrize(
    ("mask", "length"), [([[1, 0, 0], [1, 1, 0]], 2), ([[1, 0, 1]], 3), ([[0, 0, 0]], 1)]
)
def test_only_what_is_padding_of_every_item_is_trimmed(mask, length):
    tokens = torch.randn(len(mask), 3, 2)
    found = EncoderOutput(tokens, torch.tensor(mask) > 0, tokens[:, 0]).trimmed()
    assert torch.equal(found.tokens, tokens[:, :length])
    assert found.mask.tolist() == [[place > 0 for place in row[:length]] for row in mask]
    assert torch.equal(found.pooled, tokens[:, 0])


def test_parameter_groups_share_nothing_and_miss_nothing():
    model = Toy()
    groups = {name: [id(p) for p in model.parameter_group(name)] for name in ("all", "fusion", "unimodal")}
    assert sorted(groups["fusion"] + groups["unimodal"]) == sorted(groups["all"])
    assert groups["fusion"] == [id(model.fusion.weight), id(model.matching.weight)]
    assert groups["unimodal"] == [id(model.image.weight), id(model.text.weight)]


def test_unknown_parameter_group():
    with pytest.raises(ValueError, match=r"'heads'.*all, fusion, unimodal"):
        Toy().parameter_group("heads")  # type: ignore[arg-type]


def test_forward_is_encode_then_the_rest():
    model, batch = Toy(), whole(toy_problem().retain)
    first, second = model.encode_batch(batch)
    assert torch.equal(first.pooled, batch.inputs("image")["x"])
    assert torch.equal(second.pooled, batch.inputs("text")["x"])
    whole_pass, parts = model(batch), model.forward_encoded(first, second, batch.targets)
    assert torch.equal(whole_pass.loss, parts.loss)
    assert torch.equal(whole_pass.fused, model.fuse(first, second))


def test_logits_of_pairs_whose_fusion_is_known_are_those_of_the_forward_pass():
    model, batch = Toy(), whole(toy_problem().retain)
    output = model(batch)
    found = model.logits(*model.encode_batch(batch), output.fused)
    assert found.keys() == output.logits.keys() == set(model.paths)
    assert all(torch.equal(found[path], output.logits[path]) for path in found)


def test_raw_items_count_items_not_parts():
    assert len(RawItems(images=np.zeros((3, 2, 2, 3)))) == 3
    assert len(RawItems(images=np.zeros((3, 2, 2, 3)), groups=np.zeros((5, 2), dtype=int))) == 5
    assert len(RawItems(texts=("a", "b"))) == 2
    assert len(RawItems()) == 0


@dataclass(frozen=True)
class Size:
    width: int


class ToyBackbone(Backbone):
    name = "toy"
    modalities = ("image", "text")
    serves = ("retrieval",)
    variants = {"small": Size(2), "big": Size(4)}  # noqa: RUF012

    def prepare(self, modality, items, track):
        return {"x": torch.zeros(len(items), self.config.width)}

    def build(self, shape=None):
        return Toy()


def test_a_backbone_is_identified_by_name_and_size():
    big = ToyBackbone("big")
    assert big.full_name == "toy:big"
    assert big.identity == {"name": "toy:big", "width": 4}


def test_pairs_are_cut_into_blocks_of_like_length():
    torch.manual_seed(0)
    a, b = (
        EncoderOutput(torch.randn(5, 9, 2), torch.arange(9) < torch.randint(1, 10, (5, 1)), torch.randn(5, 2))
        for _ in range(2)
    )
    first, second = torch.randint(0, 5, (2, 23))
    parts = of_like_length(a, b, first, second, 10)
    assert [len(part) for part in parts] == [10, 10, 3]
    order = torch.cat(parts)
    assert sorted(order.tolist()) == list(range(23))
    lengths = (a.mask.sum(1)[first] + b.mask.sum(1)[second])[order]
    assert (lengths.diff() >= 0).all()
