from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mmulbench.backbones._aligned_retrieval import (
    PUBLISHED,
    Draw,
    contrastive_loss,
    draw_density,
    hard_negatives,
    matching_loss,
)
from mmulbench.backbones._encoders import LowRankProduct
from mmulbench.backbones.albef import Albef, AlbefBackbone
from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Targets
from mmulbench.core.model import EncoderOutput
from mmulbench.errors import Diverged
from mmulbench.seeds import torch_seeded

CONFIG = AlbefBackbone("tiny").config
LENGTH = 8


@pytest.fixture(scope="module")
def model() -> Albef:
    with torch_seeded(0, "albef"):
        # Larger weights than the initial ones, so that every path through the model shows.
        model = Albef(replace(CONFIG, fusion_layers=2, text_layers=2))
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.data.mul_(2)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module", autouse=True)
def same_kernels():
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(before)


def texts_of(lengths: list[int], seed: int = 0) -> dict[str, torch.Tensor]:
    ids = torch.randint(1000, 2000, (len(lengths), LENGTH), generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(LENGTH) < torch.tensor(lengths)[:, None]
    return {"ids": ids.masked_fill(~mask, 0).int(), "mask": mask}


def images_of(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, CONFIG.image_size, CONFIG.image_size, 3)
    return {"pixels": torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)}


def differs(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool((a - b).abs().max() > 1e-3)


near: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


@pytest.mark.parametrize("length", [LENGTH, 5], ids=["unpadded", "padded"])
def test_the_fusion_reads_both_ways(model, length):
    image, text = model.encode("image", images_of(1)), model.encode("text", texts_of([length]))
    before = model.fuse(image, text)
    for position in range(length):
        tokens = text.tokens.clone()
        tokens[0, position] = tokens[0, position].flip(0)
        # Only the tokens change, so that it is the fusion module that reads them.
        assert differs(model.fuse(image, EncoderOutput(tokens, text.mask, text.pooled)), before), position
    other = model.encode("image", images_of(1, seed=1))
    assert differs(model.fuse(other, text), before)


def test_padding_of_the_image_side_is_left_out_too(model):
    image, text = model.encode("image", images_of(1)), model.encode("text", texts_of([5]))
    padded = EncoderOutput(
        torch.cat([image.tokens, torch.full_like(image.tokens[:, :2], 9.0)], 1),
        torch.cat([image.mask, torch.zeros(1, 2, dtype=torch.bool)], 1),
        image.pooled,
    )
    torch.testing.assert_close(model.fuse(padded, text), model.fuse(image, text), **near)


def test_packaged_fusion_pools_real_tokens_only():
    config = replace(CONFIG, encoders="packaged")
    with torch_seeded(0, "albef"):
        model = Albef(config).eval()
        inputs = {"tokens": torch.randn(2, 6, 384), "mask": torch.arange(6) < torch.tensor([[4], [6]])}
        image = model.encode("image", {"tokens": torch.randn(2, 9, 1280)})
    text = model.encode("text", inputs)
    alone = model.encode("text", {name: value[:1, :4] for name, value in inputs.items()})
    torch.testing.assert_close(alone.pooled, text.pooled[:1], **near)
    torch.testing.assert_close(
        model.fuse(image[torch.tensor([0])], alone)[0], model.fuse(image, text)[0], **near
    )
    assert image.mask.all() and image.tokens.shape == (2, 9, CONFIG.width)


def test_the_product_compares_both_sides_feature_by_feature():
    with torch_seeded(0, "product"):
        product = LowRankProduct(6, 4)
        fused, other = torch.randn(2, 6), torch.randn(2, 6)
    products = product.first(fused) * product.second(other)
    expected = product.norm(fused + products @ product.out.weight.T + product.out.bias)
    torch.testing.assert_close(product(fused, other), expected, **near)
    assert differs(product(fused, -other), expected)


def test_the_packaged_size_has_a_product_among_what_fuses():
    with torch_seeded(0, "albef"):
        model = Albef(replace(CONFIG, encoders="packaged", product=5))
    fusing = {id(parameter) for parameter in model.fusion_parameters()}
    assert model.product is not None and all(
        id(parameter) in fusing for parameter in model.product.parameters()
    )
    assert Albef(CONFIG).product is None, "ALBEF has none"


def test_contrastive_loss_spreads_its_target_over_all_true_pairs():
    similarity = torch.tensor([[2.0, 1.0], [0.0, 1.0]])
    related = torch.tensor([[True, True], [False, True]])
    lse = lambda *logits: math.log(sum(map(math.exp, logits)))  # noqa: E731
    images = [lse(2, 1) - (2 + 1) / 2, lse(0, 1) - 1]
    texts = [lse(2, 0) - 2, lse(1, 1) - (1 + 1) / 2]
    expected = (sum(images) / 2 + sum(texts) / 2) / 2
    assert contrastive_loss(similarity, related).item() == pytest.approx(expected)


def test_hard_negatives_are_never_true_pairs():
    torch.manual_seed(0)
    related = torch.rand(12, 12) < 0.6
    related.fill_diagonal_(True)
    related[3] = True
    drawn = set()
    for _ in range(200):
        rows, columns = hard_negatives(torch.randn(12, 12), related, PUBLISHED)
        assert not related[rows, columns].any()
        assert rows.tolist() == [row for row in range(12) if row != 3]
        drawn.update(zip(rows.tolist(), columns.tolist(), strict=True))
    assert drawn == {(i, j) for i in range(12) for j in range(12) if not related[i, j]}


def test_hard_negatives_are_drawn_by_softmax_of_similarity():
    torch.manual_seed(0)
    similarity = torch.tensor([[9.0, 0.0, math.log(3)]]).repeat(4000, 1)
    related = torch.tensor([[True, False, False]]).repeat(4000, 1)
    columns = hard_negatives(similarity, related, PUBLISHED)[1]
    assert (columns == 2).float().mean().item() == pytest.approx(0.75, abs=0.03)


def test_negatives_are_as_hard_as_the_draw_says():
    torch.manual_seed(0)
    similarity = torch.tensor([[9.0, 0.0, math.log(9)]]).repeat(4000, 1)
    related = torch.tensor([[True, False, False]]).repeat(4000, 1)
    columns = hard_negatives(similarity, related, Draw(hardness=0.5))[1]
    assert (columns == 2).float().mean().item() == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("draw", [Draw(corrected=True), Draw(0.5, True)])
def test_the_density_of_the_draw_is_what_is_drawn(draw):
    torch.manual_seed(0)
    similarity = 2 * torch.randn(4, 4)
    related = torch.eye(4, dtype=torch.bool)
    related[3, :3] = True  # its row has no negative, its column has
    counts, times = torch.zeros(4, 4), 3000
    for _ in range(times):
        counts.index_put_(hard_negatives(similarity, related, draw), torch.ones(()), accumulate=True)
        columns, images = hard_negatives(similarity.T, related.T, draw)
        counts.index_put_((images, columns), torch.ones(()), accumulate=True)
    density = draw_density(similarity, related, draw)
    torch.testing.assert_close((counts / times)[~related], density.exp()[~related], rtol=0.1, atol=0.02)
    assert density.isfinite().all() and density[3, 0] != 0


def test_what_was_drawn_by_similarity_is_taken_from_the_log_odds():
    logits, drawn = torch.tensor([[0.3, 1.0], [0.0, -2.0], [1.0, 0.5]]), torch.tensor([0.7, -1.0, 2.0])
    odds = (logits[:, 1] - logits[:, 0] - drawn).tolist()
    expected = (math.log1p(math.exp(-odds[0])) + sum(math.log1p(math.exp(odd)) for odd in odds[1:])) / 3
    assert matching_loss(logits, 1, drawn).item() == pytest.approx(expected)
    assert not draw_density(torch.randn(3, 3), torch.eye(3, dtype=torch.bool), PUBLISHED).any()


def test_no_negatives_at_all():
    rows, columns = hard_negatives(torch.zeros(2, 2), torch.ones(2, 2, dtype=torch.bool), PUBLISHED)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_similarity_that_is_not_finite_is_divergence(value):
    similarity = torch.zeros(3, 3)
    similarity[1, 2] = value
    with pytest.raises(Diverged, match="similarity"):
        hard_negatives(similarity, torch.eye(3, dtype=torch.bool), PUBLISHED)


def training_loss_by_hand(model, a, b, related, negatives) -> float:
    similarity = model.similarity(a.pooled, b.pooled)
    positive = model.head(model.fuse(a, b)).log_softmax(1)[:, 1]
    terms = [*positive]
    for image, text in negatives:
        pair = a[torch.tensor([image])], b[torch.tensor([text])]
        terms.append(model.head(model.fuse(*pair)).log_softmax(1)[0, 0])
    return (contrastive_loss(similarity, related) - torch.stack(terms).mean()).item()


def test_the_training_loss_by_hand(model):
    """Each image has one possible negative text and each text one image, so nothing is left to chance."""
    a, b = model.encode("image", images_of(3)), model.encode("text", texts_of([5, 8, 2]))
    negatives = [(0, 1), (1, 2), (2, 0)]
    related = torch.ones(3, 3, dtype=torch.bool)
    related[tuple(zip(*negatives, strict=True))] = False
    expected = training_loss_by_hand(model, a, b, related, negatives + negatives)
    assert model.forward_encoded(a, b, Targets(related)).loss.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("count", [1, 2])
def test_a_batch_of_one_unit_has_no_negatives(model, count):
    image = model.encode("image", images_of(1))[torch.zeros(count, dtype=torch.long)]
    text = model.encode("text", texts_of([5] * count))
    related = torch.ones(count, count, dtype=torch.bool)
    expected = training_loss_by_hand(model, image, text, related, [])
    assert model.forward_encoded(image, text, Targets(related)).loss.item() == pytest.approx(
        expected, rel=1e-4
    )


def test_forward_is_encode_and_forward_encoded(original, make_problem):
    batch = make_problem().forget.batch(np.arange(6))
    with torch_seeded(0, "negatives"):
        whole = original(batch)
    with torch_seeded(0, "negatives"):
        parts = original.forward_encoded(*original.encode_batch(batch), batch.targets)
    assert torch.equal(whole.loss, parts.loss)
    assert torch.equal(whole.fused, parts.fused)
    assert all(torch.equal(whole.logits[path], parts.logits[path]) for path in original.paths)


def test_association_is_the_aligned_similarity_and_the_log_odds_of_matching(model):
    a, b = model.encode("image", images_of(4)), model.encode("text", texts_of([5, 8, 2, 3]))
    found = model.association(a, b)
    assert tuple(found) == model.paths
    similarity = model.similarity(a.pooled, b.pooled)
    torch.testing.assert_close(found["contrastive"], similarity.diagonal(), **near)
    cosine = similarity * model.log_temperature.exp()
    assert cosine.abs().max() <= 1 + 1e-5
    assert model.log_temperature.exp().item() == pytest.approx(0.07)
    odds = model.head(model.fuse(a, b)).softmax(1)
    torch.testing.assert_close(found["matching"], (odds[:, 1] / odds[:, 0]).log(), rtol=1e-4, atol=1e-4)


def test_the_matching_logit_alone_orders_candidates(model):
    """As published: ``itm_head(…)[:, 1]``, neither its log-odds nor the similarity added."""
    similarity, logits = torch.tensor([9.0, -9.0, 0.0]), torch.tensor([[7.0, 1.0], [-7.0, 2.0], [0.0, 0.5]])
    assert model.rerank(similarity, logits).tolist() == [1.0, 2.0, 0.5]


def test_either_logit_of_a_trained_head_ranks_as_their_difference_does():
    with torch_seeded(0, "head"):
        model = Albef(CONFIG).train()
        a, b = images_of(6), texts_of([5, 8, 2, 3, 4, 6])
        learner = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
        for _ in range(5):
            learner.zero_grad()
            encoded = model.encode("image", a), model.encode("text", b)
            torch.autograd.backward(model.forward_encoded(*encoded, Targets(torch.eye(6) > 0)).loss)
            learner.step()
    logits = model.eval().head(model.fuse(model.encode("image", a), model.encode("text", b)))
    torch.testing.assert_close(logits.sum(1), torch.zeros(6), rtol=0, atol=1e-4)
    assert differs(logits[0], logits[1])


def linear(width_in: int, width_out: int) -> int:
    return width_in * width_out + width_out


def test_base_is_vit_b_16_with_bert_base_and_six_fusion_layers():
    with torch.device("meta"):
        model = AlbefBackbone("base").build()
    width, norm = 768, 2 * 768
    attention, feed_forward = 4 * linear(width, width), linear(width, 4 * width) + linear(4 * width, width)
    encoder_layer = attention + feed_forward + 2 * norm
    fusion_layer = 2 * attention + feed_forward + 3 * norm
    image = linear(3 * 16 * 16, width) + width + (1 + 24 * 24) * width + 12 * encoder_layer + norm
    text = 30_522 * width + 30 * width + norm + 6 * encoder_layer
    rest = 6 * fusion_layer + 2 * linear(width, 256) + linear(width, 2) + 1
    count = sum(p.numel() for p in model.parameters())
    assert count == image + text + rest
    assert count == pytest.approx(210e6, rel=0.02)


def items(count: int) -> RawItems:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return RawItems(images=coarse.repeat(12, 1).repeat(12, 2))


WORDS = ("cat", "a rather long name of a grinning face with sweat drops on it", "red heart", "zzz")


def track(iterable, total, description):
    return iterable


def test_trained_variants_get_pixels_and_word_pieces():
    backbone = AlbefBackbone("tiny")
    pixels = backbone.prepare("image", items(3), track).compute(range(3))
    assert pixels.shape == (3, 32, 32, 3) and pixels.dtype == torch.uint8
    inputs = backbone.prepare("text", RawItems(texts=WORDS), track)
    assert inputs["ids"].shape == inputs["mask"].shape == (4, backbone.config.text_length)
    assert (inputs["ids"][:, 0] == 101).all(), "[CLS]"
    assert inputs["mask"].sum(1).tolist() == [3, 12, 4, 4]
    assert inputs["ids"][0].tolist() == [101, 4937, 102] + [0] * 9


@pytest.mark.slow
def test_packaged_features_of_an_item_do_not_depend_on_the_others():
    backbone = AlbefBackbone("packaged")
    config, images = backbone.config, items(3)
    tokens = backbone.prepare("image", images, track).compute(range(3))
    assert tokens.shape == (3, (config.image_size // 32 // config.pool) ** 2, 1280)
    assert tokens.dtype == torch.float16 and tokens.isfinite().all()
    alone = backbone.prepare("image", RawItems(images=images.images[1:2]), track).compute(range(1))
    torch.testing.assert_close(alone[0], tokens[1], rtol=1e-2, atol=1e-2)
    assert differs(tokens[0].float(), tokens[1].float())
    found = backbone.prepare("text", RawItems(texts=WORDS), track)
    assert found["tokens"].shape == (4, config.text_length, 384) and found["tokens"].dtype == torch.float16
    assert found["mask"].sum(1).tolist() == [3, 12, 4, 4]
    assert (found["tokens"][~found["mask"]] == 0).all()
    for i, word in enumerate(WORDS):
        alone = backbone.prepare("text", RawItems(texts=(word,)), track)["tokens"]
        torch.testing.assert_close(alone[0], found["tokens"][i], rtol=1e-2, atol=1e-2)
