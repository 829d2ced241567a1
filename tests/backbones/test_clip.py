from __future__ import annotations

import numpy as np
import pytest
import torch
from clip_toys import (
    CLASSES,
    GROUPS,
    LENGTH,
    VARIANTS,
    built,
    differs,
    each_shape,
    each_variant,
    images_of,
    near,
    sides,
    texts_of,
    track,
)
from torch import nn

from mmulbench.backbones.clip import ClipBackbone
from mmulbench.core.backbone import RawItems
from mmulbench.metrics.catalogue import headline_metrics


@each_variant
@each_shape
def test_shapes_and_masks(quiet_clip, variant, shape):
    model = quiet_clip(variant, shape)
    a, b = sides(model, shape)
    assert a.tokens.shape == (4, shape.group, 32) and b.tokens.shape == (4, 1, 32)
    assert a.mask.shape == (4, shape.group) and a.mask.all() and b.mask.shape == (4, 1) and b.mask.all()
    assert a.pooled.shape == b.pooled.shape == (4, 32)
    fused = model.fuse(a, b)
    assert fused.shape == (4, 32 * (2 * shape.group + 1) if shape.classes else 32)
    assert model.head(fused).shape == (4, shape.classes or 2)
    assert ("contrastive" in model.paths) is (shape.classes == 0) and len(model.paths) == 1
    if shape.classes == 0:
        assert model.similarity(a.pooled, b.pooled[:3]).shape == (4, 3)


@pytest.mark.parametrize("length", [LENGTH, 5], ids=["unpadded", "padded"])
@pytest.mark.parametrize("beside", [[], [LENGTH, 3]], ids=["alone", "in a batch"])
def test_clip_reads_texts_up_to_their_end(quiet_clip, length, beside):
    model, before = quiet_clip("tiny"), texts_of([length, *beside])
    old = model.encode("text", before).pooled
    for position in range(LENGTH):
        after = {"ids": before["ids"].clone()}
        after["ids"][0, position] += 1
        new = model.encode("text", after).pooled
        if position == length - 1:
            continue  # without its end token, a text has no output
        assert differs(new[0], old[0]) is (position < length), position
        torch.testing.assert_close(new[1:], old[1:], **near)


def test_clip_is_causal(quiet_clip):
    """As published: an earlier token does not see a later one."""
    model, before = quiet_clip("tiny").text, texts_of([LENGTH])["ids"].long()
    after = before.clone()
    after[0, 6] += 1
    old, new = (model(input_ids=ids).last_hidden_state[0] for ids in (before, after))
    torch.testing.assert_close(old[:6], new[:6], **near)
    assert all(differs(old[place], new[place]) for place in range(6, LENGTH))


@pytest.mark.parametrize("length", [LENGTH, 5], ids=["unpadded", "padded"])
def test_siglip_reads_texts_both_ways_with_their_padding(quiet_clip, length):
    """As published: no token is masked, so a text means what it means at one padded length alone."""
    model, before = quiet_clip("tiny-siglip").text, texts_of([length, 3])["ids"].long()
    old = model(input_ids=before).last_hidden_state
    for position in range(LENGTH):
        after = before.clone()
        after[0, position] += 1
        new = model(input_ids=after).last_hidden_state
        assert all(differs(new[0, place], old[0, place]) for place in range(LENGTH)), position
        torch.testing.assert_close(new[1], old[1], **near)


def test_siglip_pools_the_last_token(quiet_clip):
    model, ids = quiet_clip("tiny-siglip"), texts_of([5, LENGTH])
    hidden = model.text(input_ids=ids["ids"].long()).last_hidden_state
    torch.testing.assert_close(model.encode("text", ids).pooled, hidden[:, -1], **near)


@each_variant
def test_images_of_a_group_keep_their_places(quiet_clip, variant):
    model, pixels = quiet_clip(variant, GROUPS), images_of(3, 2)["pixels"]
    both = model.encode("image", {"pixels": pixels})
    single = quiet_clip(variant, CLASSES)  # of the same weights
    for place in range(2):
        alone = single.encode("image", {"pixels": pixels[:, place]})
        torch.testing.assert_close(both.tokens[:, place], alone.pooled, **near)
    torch.testing.assert_close(both.pooled, both.tokens.mean(1), **near)
    text = model.encode("text", texts_of([5, LENGTH, 3]))
    swapped = model.encode("image", {"pixels": pixels.flip(1)})
    assert differs(model.head(model.fuse(both, text)), model.head(model.fuse(swapped, text)))


def test_dropout_is_off():
    for variant in VARIANTS:
        model = built(variant).train()
        assert not any(isinstance(part, nn.Dropout) and part.p > 0 for part in model.modules())
        a, again = (model.encode("text", texts_of([5, 3])).pooled for _ in range(2))
        assert torch.equal(a, again)


@each_variant
def test_items_become_pixels_and_word_pieces(variant):
    backbone = ClipBackbone(variant)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)
    pixels = backbone.prepare("image", RawItems(images=pictures), track).compute(range(3))
    assert pixels.shape == (3, 32, 32, 3) and pixels.dtype == torch.uint8
    inputs = backbone.prepare("text", RawItems(texts=("cat", "red heart " * 9)), track)
    assert isinstance(inputs, dict)
    assert set(inputs) == {"ids"} and inputs["ids"].dtype == torch.int32
    assert inputs["ids"][0].tolist() == [101, 4937, 102] + [0] * 9
    assert inputs["ids"].shape == (2, LENGTH) and inputs["ids"][1, -1] == 102


@each_variant
def test_pixels_are_normalised_as_published(variant):
    model, seen = built(variant), []
    model.image.register_forward_pre_hook(
        lambda module, args, given: seen.append(given["pixel_values"]), with_kwargs=True
    )
    model.encode("image", {"pixels": torch.full((1, 32, 32, 3), 255, dtype=torch.uint8)})
    mean = [0.48145466, 0.4578275, 0.40821073] if variant == "tiny" else [0.5] * 3
    std = [0.26862954, 0.26130258, 0.27577711] if variant == "tiny" else [0.5] * 3
    white = [(1 - m) / s for m, s in zip(mean, std, strict=True)]
    assert seen[0][0, :, 3, 7].tolist() == pytest.approx(white, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "task_name", "method_name", "settings"),
    [
        ("tiny", "emoji", "mmul", {}),
        ("tiny", "emoji", "mmul", {"trainable": "fusion"}),
        ("tiny", "emoji", "scrub", {}),
        ("tiny-siglip", "emoji", "mmul", {"trainable": "fusion"}),
        ("tiny-siglip", "flags_ve", "scrub", {}),
        ("tiny", "emoji_nlvr", "mmul", {}),
    ],
)
def test_a_run_through_the_pipeline(variant, task_name, method_name, settings, run_through):
    record = run_through(task_name, f"clip:{variant}", method_name, **settings)
    empty = [metric.name for metric in headline_metrics() if record.values[metric.name].value is None]
    assert not empty, record.missing
