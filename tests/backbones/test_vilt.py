from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from vilt_toys import PAIR, SHAPES, built, differs, louder, near

from mmulbench.backbones._vilt_models import Vilt, false_texts, ranking_loss
from mmulbench.backbones.vilt import ViltBackbone
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Features, Relations, Split, Targets
from mmulbench.core.model import EncoderOutput, ModelOutput
from mmulbench.evaluation.retrieval import evaluate_retrieval
from mmulbench.metrics.catalogue import headline_metrics
from mmulbench.progress import Progress

CONFIG = ViltBackbone("tiny").config
LENGTH = CONFIG.text_length
PATCHES = (CONFIG.image_size // CONFIG.patch) ** 2


@pytest.fixture(scope="module")
def model() -> Vilt:
    model = built()
    louder(model)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def classifiers() -> dict[TaskShape, Any]:
    return {shape: louder(built(shape)).eval().requires_grad_(False) for shape in SHAPES[1:]}


def texts_of(lengths: list[int], seed: int = 0, length: int = LENGTH) -> dict[str, torch.Tensor]:
    ids = torch.randint(1000, 2000, (len(lengths), length), generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(length) < torch.tensor(lengths)[:, None]
    return {"ids": ids.masked_fill(~mask, 0).int(), "mask": mask}


def images_of(count: int, group: int = 1, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, *([group] if group > 1 else []), CONFIG.image_size, CONFIG.image_size, 3)
    return {"pixels": torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)}


def encoded(model: Any, lengths: list[int], group: int = 1) -> tuple[EncoderOutput, EncoderOutput]:
    return model.encode("image", images_of(len(lengths), group)), model.encode("text", texts_of(lengths))


def test_shapes_and_masks(model, classifiers):
    a, b = encoded(model, [5, LENGTH, 2])
    assert a.tokens.shape == (3, 1 + PATCHES, CONFIG.width) and a.mask.all()
    assert b.tokens.shape == (3, LENGTH, CONFIG.width) and b.mask.sum(1).tolist() == [5, LENGTH, 2]
    assert a.pooled.shape == b.pooled.shape == model.fuse(a, b).shape == (3, CONFIG.width)
    torch.testing.assert_close(b.pooled[2], b.tokens[2, :2].mean(0))
    logits = model.head(model.fuse(a, b))
    assert logits.shape == (3, 2) and (logits[:, 0] == 0).all()
    for shape, classifier in classifiers.items():
        a, b = encoded(classifier, [5, 3], shape.group)
        assert a.tokens.shape == (2, shape.group * (1 + PATCHES), CONFIG.width)
        assert a.mask.shape == a.tokens.shape[:2] and a.pooled.shape == (2, CONFIG.width)
        fused = classifier.fuse(a, b)
        assert fused.shape == (2, shape.group * CONFIG.width)
        assert classifier.head(fused).shape == (2, shape.classes)


def test_a_group_is_one_pass_a_picture(classifiers):
    """The fused halves are those of each picture alone but for the modality embedding of its place."""
    pair = classifiers[PAIR]
    images, (_, text) = images_of(2, 2), encoded(pair, [5, 8], 2)
    fused = pair.fuse(pair.encode("image", images), text)
    swapped = {"pixels": images["pixels"].flip(1)}
    assert differs(
        pair.fuse(pair.encode("image", swapped), text)[:, : CONFIG.width], fused[:, CONFIG.width :]
    )
    kinds = pair.vilt.embeddings.token_type_embeddings.weight
    before = kinds.clone()
    kinds[2] = kinds[1]
    try:
        one, other = (pair.fuse(pair.encode("image", given), text) for given in (images, swapped))
    finally:
        kinds.copy_(before)
    torch.testing.assert_close(one[:, : CONFIG.width], other[:, CONFIG.width :], **near)
    torch.testing.assert_close(one[:, CONFIG.width :], other[:, : CONFIG.width], **near)


def test_false_texts_are_unrelated_distinct_and_equally_likely():
    related = torch.tensor(
        [[True, False, False, False], [True, True, True, True], [False, True, True, True], [0, 0, 0, 1]]
    ).bool()
    torch.manual_seed(0)
    seen = torch.zeros(4, 4)
    for _ in range(600):
        images, texts = false_texts(related, 2)
        assert not related[images, texts].any()
        assert images.tolist() == [0, 0, 2, 3, 3]
        assert len(set(zip(images.tolist(), texts.tolist(), strict=True))) == 5
        seen[images, texts] += 1
    expected = torch.tensor([[0, 2, 2, 2], [0, 0, 0, 0], [3, 0, 0, 0], [2, 2, 2, 0]]) * 200.0
    assert (seen - expected).abs().max() < 60
    assert len(false_texts(related, 15)[0]) == 7
    assert [len(part) for part in false_texts(torch.ones(1, 1, dtype=torch.bool), 15)] == [0, 0]


def test_the_ranking_loss_by_hand():
    true, false = torch.tensor([1.0, -0.5, 2.0]), torch.tensor([0.5, 3.0, -1.0])
    images = torch.tensor([0, 0, 2])
    terms = [
        math.log(math.exp(1) + math.exp(0.5) + math.exp(3)) - 1,
        math.log(1 + math.exp(0.5)),
        math.log(math.exp(2) + math.exp(-1)) - 2,
    ]
    assert ranking_loss(true, false, images).item() == pytest.approx(sum(terms) / 3)


@pytest.mark.parametrize("lonely", [[0, 1], [1]], ids=["all", "some"])
def test_pairs_without_false_texts_train_too(lonely):
    true = torch.tensor([0.3, -0.2], requires_grad=True)
    images = torch.tensor([image for image in (0, 1) if image not in lonely], dtype=torch.long)
    false = torch.ones(len(images), requires_grad=True)
    ranking_loss(true, false, images).backward()
    assert true.grad.isfinite().all() and (true.grad < 0).all()
    assert false.grad is None or (false.grad > 0).all()


def test_the_training_pass_by_hand(model):
    """Every unrelated text is drawn (three at most), so nothing is left to chance."""
    a, b = encoded(model, [5, 8, 2, 4])
    related = torch.eye(4, dtype=torch.bool)
    related[0, 1] = related[2] = True
    output = model.forward_encoded(a, b, Targets(related))
    grid = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    scores = model.head(model.fuse(a[grid[:, 0]], b[grid[:, 1]]))[:, 1].reshape(4, 4)
    terms = []
    for i in range(4):
        others = [scores[i, j].exp() for j in range(4) if not related[i, j]] or [torch.tensor(1.0)]
        terms.append((scores[i, i].exp() / (scores[i, i].exp() + sum(others))).log())
    torch.testing.assert_close(output.loss, -torch.stack(terms).mean(), **near)
    assert tuple(output.logits) == model.paths == ("matching",)
    torch.testing.assert_close(output.logits["matching"][:, 1], scores.diagonal(), **near)
    torch.testing.assert_close(output.fused, model.fuse(a, b), **near)
    torch.testing.assert_close(model.association(a, b)["matching"], scores.diagonal(), **near)
    assert torch.equal(output.unimodal["image"], a.pooled) and torch.equal(output.unimodal["text"], b.pooled)


def trained_pass(model: Any, shape: TaskShape, count: int = 4) -> ModelOutput:
    a, b = encoded(model, [5, LENGTH, 2, 4][:count], shape.group)
    labels = torch.arange(count) % shape.classes if shape.classes else None
    return model.forward_encoded(a, b, Targets(torch.eye(count, dtype=torch.bool), labels))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_place_of_a_group_has_a_modality_that_learns(shape):
    model = louder(built(shape)).train()
    trained_pass(model, shape).loss.backward()
    (kinds,) = model.vilt.embeddings.token_type_embeddings.parameters()
    assert len(kinds) == 1 + shape.group and kinds.grad.any(1).all()


def test_a_batch_of_one_pair_trains():
    model = louder(built()).train()
    output = trained_pass(model, TaskShape(), 1)
    output.loss.backward()
    score = output.logits["matching"][0, 1]
    assert output.loss.item() == pytest.approx(math.log(1 + math.exp(-score.item())), rel=1e-4)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_prepared_inputs():
    backbone = ViltBackbone("tiny")
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), dtype=np.uint8)
    pixels = backbone.prepare("image", RawItems(images=images), Progress().track).compute(range(3))
    assert pixels.shape == (3, 32, 32, 3) and pixels.dtype == torch.uint8
    inputs = backbone.prepare("text", RawItems(texts=("cat", "red heart")), Progress().track)
    assert inputs["ids"].shape == (2, LENGTH) and inputs["mask"].sum(1).tolist() == [3, 4]


@pytest.mark.parametrize("variant", ViltBackbone.variants)
def test_every_variant_runs(variant):
    backbone = ViltBackbone(variant)
    model, size = built(backbone=backbone), backbone.config
    pixels = torch.zeros(2, size.image_size, size.image_size, 3, dtype=torch.uint8)
    text = model.encode("text", texts_of([3, 4], length=size.text_length))
    assert model.fuse(model.encode("image", {"pixels": pixels}), text).shape == (2, size.width)


def test_retrieval_ranks_every_pair_by_its_score(model):
    """There is no similarity to choose candidates by, so ``rerank`` cannot hide a match."""
    images, texts = images_of(5), texts_of([5, 8, 2, 4, 7])
    a, b = model.encode("image", images), model.encode("text", texts)
    grid = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    scores = model.head(model.fuse(a[grid[:, 0]], b[grid[:, 1]]))[:, 1].reshape(5, 5)
    split = Split(np.arange(5), np.arange(5))
    features = Features({"image": images, "text": texts}, torch.device("cpu"))
    found = evaluate_retrieval(
        model, split, Relations(split), features, 1, Progress(), "ranks"
    ).utility.named("image", "text")
    own = scores.diagonal()
    for name, better in (("i2t", scores > own[:, None]), ("t2i", (scores > own[None]).T)):
        assert found[f"{name}_r@1"].value == pytest.approx((better.sum(1) == 0).float().mean().item())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "method", "settings"),
    [
        ("emoji", "mmul", {"trainable": "all"}),
        ("emoji", "mmul", {"trainable": "fusion"}),
        ("emoji", "scrub", {}),
        ("flags_ve", "scrub", {}),
        ("emoji_nlvr", "mmul", {}),
    ],
)
def test_methods_run(task, method, settings, run_through):
    record = run_through(task, "vilt:tiny", method, **settings)
    assert all(record.values[metric.name].value is not None for metric in headline_metrics())
