from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from clip_toys import (
    GROUPS,
    LENGTH,
    built,
    each_variant,
    images_of,
    near,
    sides,
    targets,
    texts_of,
)

from mmulbench.core.data import Targets
from mmulbench.core.model import EncoderOutput, own_class_log_odds


def by_hand(model: Any, a: EncoderOutput, b: EncoderOutput) -> list[list[float]]:
    """exp(scale) * cos + bias of all images and texts, a number at a time."""
    images, texts = model.image_projection(a.pooled).tolist(), model.text_projection(b.pooled).tolist()
    norm = lambda x: math.sqrt(sum(value * value for value in x))  # noqa: E731
    scale, bias = math.exp(model.logit_scale), float(getattr(model, "logit_bias", 0.0))
    return [[scale * sum(map(float.__mul__, x, y)) / norm(x) / norm(y) + bias for y in texts] for x in images]


@each_variant
def test_similarity_association_and_head_are_one_number(quiet_clip, variant):
    model = quiet_clip(variant)
    a, b = sides(model)
    expected = torch.tensor(by_hand(model, a, b))
    torch.testing.assert_close(model.similarity(a.pooled, b.pooled), expected, rtol=1e-4, atol=1e-4)
    fused = model.fuse(a, b)
    assert (fused.mean(1).abs() <= 1 + 1e-5).all(), "the mean is a cosine"
    found = model.association(a, b)
    assert tuple(found) == model.paths == tuple(model.logits(a, b, fused)) == ("contrastive",)
    torch.testing.assert_close(found["contrastive"], expected.diagonal(), rtol=1e-4, atol=1e-4)
    logits = model.head(fused)
    assert (logits[:, 0] == 0).all()
    torch.testing.assert_close(logits[:, 1], expected.diagonal(), rtol=1e-4, atol=1e-4)


def test_published_initial_scale_and_bias():
    assert built("tiny").logit_scale.exp().item() == pytest.approx(1 / 0.07, rel=1e-4)
    siglip = built("tiny-siglip")
    assert siglip.logit_scale.exp().item() == pytest.approx(10) and siglip.logit_bias.item() == -10


def test_the_loss_of_clip_by_hand(quiet_clip):
    """Cross-entropy in both directions; the targets of a row or column share its true pairs."""
    model = quiet_clip("tiny")
    a, b = sides(model)
    rows, related = by_hand(model, a, b), targets().related.tolist()
    terms = []
    for values, true in ((rows, related), (list(zip(*rows, strict=True)), list(zip(*related, strict=True)))):
        for logits, yes in zip(values, true, strict=True):
            lse = math.log(sum(map(math.exp, logits)))
            terms.append(sum((lse - x) * y for x, y in zip(logits, yes, strict=True)) / sum(yes))
    found = model.forward_encoded(a, b, targets())
    assert found.loss.item() == pytest.approx(sum(terms) / len(terms), rel=1e-3)
    torch.testing.assert_close(found.fused, model.fuse(a, b))


def test_the_loss_of_siglip_by_hand(quiet_clip):
    """Each pair of the batch alone; the sum over 16 pairs is divided by 4 images."""
    model = quiet_clip("tiny-siglip")
    a, b = sides(model)
    total = sum(
        math.log(1 + math.exp(-x if yes else x))
        for row, true in zip(by_hand(model, a, b), targets().related.tolist(), strict=True)
        for x, yes in zip(row, true, strict=True)
    )
    assert model.forward_encoded(a, b, targets()).loss.item() == pytest.approx(total / 4, rel=1e-3)


@each_variant
@pytest.mark.parametrize("count", [1, 2])
def test_a_batch_of_one_unit_has_a_finite_loss(quiet_clip, variant, count):
    model = quiet_clip(variant)
    a, b = sides(model, count=count)
    loss = model.forward_encoded(a, b, Targets(torch.ones(count, count, dtype=torch.bool))).loss
    assert loss.isfinite() and loss >= 0


@each_variant
def test_classification_is_cross_entropy_of_the_head(quiet_clip, variant):
    model = quiet_clip(variant, GROUPS)
    a, b = sides(model, GROUPS)
    images, text = model.image_projection(a.tokens), model.text_projection(b.pooled)
    left, right = images[:, 0], images[:, 1]
    fused = torch.cat([left, right, text, left * text, right * text], 1)
    torch.testing.assert_close(model.fuse(a, b), fused, **near)
    logits, labels = model.head(fused), targets().labels
    assert labels is not None
    loss = model.forward_encoded(a, b, targets()).loss
    torch.testing.assert_close(loss, -logits.log_softmax(1)[range(4), labels].mean(), **near)
    association = model.association(a, b, labels)["classification"]
    torch.testing.assert_close(association, own_class_log_odds(logits, labels), **near)


@each_variant
def test_training_learns_to_tell_pairs_apart(variant):
    """A few steps on eight pairs; the fusion alone, from frozen encoders, learns too."""
    model = built(variant).train()
    images, texts = images_of(8), texts_of([5, LENGTH, 3, 4, 6, 7, 8, 9])
    goal = Targets(torch.eye(8, dtype=torch.bool))
    for group, lr in (("fusion", 0.01), ("all", 0.005)):
        optimizer = torch.optim.AdamW(model.parameter_group(group), lr=lr)
        losses = []
        for _ in range(15):
            a, b = model.encode("image", images), model.encode("text", texts)
            loss = model.forward_encoded(a, b, goal).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < 0.8 * losses[0], group
