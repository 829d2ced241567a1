from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from blip_toys import LENGTH, SHAPES, images_of, near, targets, texts_of, track

from mmulbench.backbones._aligned_retrieval import contrastive_loss
from mmulbench.backbones._blip_models import Blip
from mmulbench.backbones.blip import BlipBackbone
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Targets
from mmulbench.core.model import own_class_log_odds
from mmulbench.metrics.catalogue import headline_metrics
from mmulbench.seeds import torch_seeded

CONFIG = BlipBackbone("tiny").config


def loud(shape: TaskShape, seed: int = 0):
    """A tiny model with larger weights than the initial ones, so that every path through it shows."""
    with torch_seeded(seed, "blip"):
        model = BlipBackbone("tiny").build(shape)
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.data.mul_(5)
    return model


@pytest.fixture(scope="module")
def model() -> Blip:
    return loud(SHAPES["retrieval"]).eval().requires_grad_(False)


def sides(model, shape: TaskShape, count: int = 4):
    images = images_of(count, shape.group) if shape.group > 1 else images_of(count)
    return model.encode("image", images), model.encode("text", texts_of([5, 8, 2, 3][:count]))


def differs(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool((a - b).abs().max() > 1e-3)


def test_shapes(model):
    image, text = sides(model, SHAPES["retrieval"])
    assert image.tokens.shape == (4, 1 + 4, CONFIG.image_width) and image.mask.all()
    assert text.tokens.shape == (4, LENGTH, CONFIG.text_width)
    assert text.mask.sum(1).tolist() == [5, 8, 2, 3]
    assert image.pooled.shape == text.pooled.shape == (4, 32)
    fused = model.fuse(image, text)
    assert fused.shape == (4, 32) and model.head(fused).shape == (4, 2)
    assert model.similarity(image.pooled, text.pooled[:3]).shape == (4, 3)


@pytest.mark.parametrize("length", [LENGTH, 5], ids=["unpadded", "padded"])
def test_the_fusion_reads_both_ways(model, length):
    image, text = model.encode("image", images_of(1)), model.encode("text", texts_of([length]))
    before = model.fuse(image, text)
    for position in range(LENGTH):
        tokens = text.tokens.clone()
        tokens[0, position] = tokens[0, position].flip(0)
        after = model.fuse(image, replace(text, tokens=tokens))
        assert differs(after, before) is (position < length), position
    for place in range(image.tokens.shape[1]):
        tokens = image.tokens.clone()
        tokens[0, place] = tokens[0, place].flip(0)
        assert differs(model.fuse(replace(image, tokens=tokens), text), before), place


def test_groups_of_images_lie_side_by_side_each_in_its_place():
    model = loud(SHAPES["groups"]).eval().requires_grad_(False)
    pixels = images_of(3, 2)["pixels"]
    both = model.encode("image", {"pixels": pixels})
    assert both.tokens.shape == (3, 2 * 5, 32) and both.mask.shape == (3, 10) and both.mask.all()
    for place in range(2):
        alone = model._encode_images(pixels[:, place])
        expected = alone.tokens + model.slots[place]
        torch.testing.assert_close(both.tokens[:, 5 * place : 5 * place + 5], expected, **near)
    means = [model._encode_images(pixels[:, place]).pooled + model.slots[place] for place in range(2)]
    torch.testing.assert_close(both.pooled, sum(means) / 2, **near)
    text = model.encode("text", texts_of([5, 8, 2]))
    swapped = model.encode("image", {"pixels": pixels.flip(1)})
    assert differs(model.fuse(both, text), model.fuse(swapped, text))


def training_loss_by_hand(model, a, b, related, negatives) -> float:
    similarity = model.similarity(a.pooled, b.pooled)
    terms = [*model.head(model.fuse(a, b)).log_softmax(1)[:, 1]]
    for image, text in negatives:
        pair = a[torch.tensor([image])], b[torch.tensor([text])]
        terms.append(model.head(model.fuse(*pair)).log_softmax(1)[0, 0])
    return (contrastive_loss(similarity, related) - torch.stack(terms).mean()).item()


def test_the_training_loss_by_hand(model):
    """Each image has one possible negative text and each text one image, so nothing is left to chance."""
    a, b = sides(model, SHAPES["retrieval"], 3)
    negatives = [(0, 1), (1, 2), (2, 0)]
    related = torch.ones(3, 3, dtype=torch.bool)
    related[tuple(zip(*negatives, strict=True))] = False
    expected = training_loss_by_hand(model, a, b, related, negatives + negatives)
    found = model.forward_encoded(a, b, Targets(related))
    assert found.loss.item() == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(found.fused, model.fuse(a, b))


def test_a_batch_of_one_unit_has_no_negatives(model):
    a, b = sides(model, SHAPES["retrieval"], 2)
    related = torch.ones(2, 2, dtype=torch.bool)
    expected = training_loss_by_hand(model, a, b, related, [])
    assert model.forward_encoded(a, b, Targets(related)).loss.item() == pytest.approx(expected, rel=1e-4)


def test_matching_logit_and_cosine_order_candidates(model):
    """As published: ``itm_head(…)[:, 1] + topk_sim``, whose similarity is not divided by the temperature."""
    a, b = sides(model, SHAPES["retrieval"], 3)
    images, texts = model.image_embedding(a.pooled), model.text_embedding(b.pooled)
    cosine = torch.nn.functional.cosine_similarity(images, texts)
    similarity = model.similarity(a.pooled, b.pooled).diagonal()
    logits = model.head(model.fuse(a, b))
    found = model.rerank(similarity, logits)
    torch.testing.assert_close(found, logits[:, 1] + cosine, **near)
    assert not torch.allclose(found, logits[:, 1] + similarity, atol=1e-3)


def test_association_is_the_aligned_similarity_and_the_log_odds_of_matching(model):
    a, b = sides(model, SHAPES["retrieval"])
    found = model.association(a, b)
    assert tuple(found) == model.paths
    similarity = model.similarity(a.pooled, b.pooled)
    torch.testing.assert_close(found["contrastive"], similarity.diagonal(), **near)
    assert (similarity * model.log_temperature.exp()).abs().max() <= 1 + 1e-5
    assert model.log_temperature.exp().item() == pytest.approx(0.07)
    odds = model.head(model.fuse(a, b)).softmax(1)
    torch.testing.assert_close(found["matching"], (odds[:, 1] / odds[:, 0]).log(), rtol=1e-3, atol=1e-3)


def test_classification_is_cross_entropy_of_the_head():
    model = loud(SHAPES["groups"]).eval().requires_grad_(False)
    a, b = sides(model, SHAPES["groups"])
    labels = targets().labels
    assert labels is not None
    logits = model.head(model.fuse(a, b))
    assert logits.shape == (4, 3)
    found = model.forward_encoded(a, b, targets())
    torch.testing.assert_close(found.loss, -logits.log_softmax(1)[range(4), labels].mean(), **near)
    association = model.association(a, b, labels)["classification"]
    torch.testing.assert_close(association, own_class_log_odds(logits, labels), **near)


def test_the_image_encoder_starts_from_weights_of_the_usual_scale():
    """Transformers' default is 1e-10, meant to be overwritten by a checkpoint."""
    weights = loud(SHAPES["retrieval"]).state_dict()["image.encoder.layers.0.mlp.fc1.weight"]
    assert weights.std() == pytest.approx(5 * 0.02, rel=0.2)


def test_tiny_gets_pixels_and_word_pieces():
    backbone = BlipBackbone("tiny")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)
    found = backbone.prepare("image", RawItems(images=pixels), track).compute(range(3))
    assert found.shape == (3, 32, 32, 3) and found.dtype == torch.uint8
    inputs = backbone.prepare("text", RawItems(texts=("cat", "red heart")), track)
    assert inputs["ids"].dtype == torch.int32 and inputs["mask"].dtype == torch.bool
    assert inputs["ids"][0].tolist() == [101, 4937, 102] + [0] * 9
    assert inputs["mask"].sum(1).tolist() == [3, 4]


@pytest.mark.parametrize("variant", BlipBackbone.variants)
def test_every_variant_builds(variant):
    backbone = BlipBackbone(variant)
    size = backbone.config.image_size
    model = backbone.build().eval()
    a = model.encode("image", {"pixels": torch.zeros(2, size, size, 3, dtype=torch.uint8)})
    texts = backbone.prepare("text", RawItems(texts=("cat", "red heart")), track)
    assert isinstance(texts, dict)
    b = model.encode("text", texts)
    assert a.tokens.shape[1] == 1 + (size // backbone.config.patch) ** 2
    assert model.fuse(a, b).shape == (2, backbone.config.text_width)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task_name", "method_name", "settings"),
    [
        ("emoji", "mmul", {}),
        ("emoji", "mmul", {"trainable": "fusion"}),
        ("emoji", "scrub", {}),
        ("flags_ve", "scrub", {}),
        ("emoji_nlvr", "mmul", {"trainable": "fusion"}),
    ],
)
def test_a_run_through_the_pipeline(task_name, method_name, settings, run_through):
    record = run_through(task_name, "blip:tiny", method_name, **settings)
    assert all(record.values[metric.name].value is not None for metric in headline_metrics())
