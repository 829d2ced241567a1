from __future__ import annotations

from pathlib import Path
from typing import Any

import albef_checkpoints as made
import pytest
import torch
from albef_checkpoints import LAYER, saved, without
from torch import nn
from torch.nn import functional

from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Targets
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError
from mmulbench.files import sha256_of
from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.seeds import torch_seeded

near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-4}


def loaded(path: Path, shape: TaskShape = TaskShape(), seed: int = 0):  # noqa: B008
    with torch_seeded(seed, "albef"):
        return AlbefBackbone.from_checkpoint(str(path)).build(shape)


def pixels_of(count: int, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, size, size, 3), generator=generator, dtype=torch.uint8)


def texts_of(*lengths: int) -> dict[str, torch.Tensor]:
    ids = torch.randint(1000, 30_000, (len(lengths), 30), generator=torch.Generator().manual_seed(2))
    mask = torch.arange(30) < torch.tensor(lengths)[:, None]
    return {"ids": ids.masked_fill(~mask, 0).int(), "mask": mask}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("finetuned", "flickr30k.pth"),
        ("pretraining", "ALBEF.pth"),
        ("finetuned", "flickr30k.safetensors"),
        ("pretraining", "bare.pth"),
    ],
)
@torch.no_grad()
def test_the_outputs_are_those_of_the_published_model(tmp_path, kind, name):
    tensors = made.published(kind)
    if name == "bare.pth":
        torch.save(tensors, tmp_path / name)
    else:
        saved(tmp_path, tensors, name)
    model, reference = loaded(tmp_path / name).eval(), made.Reference(tensors, kind)
    pixels = pixels_of(3)
    for lengths in ((30, 30, 30), (30, 12, 3)):
        texts = texts_of(*lengths)
        a, b = model.encode("image", {"pixels": pixels}), model.encode("text", texts)
        images, words = reference.image(pixels), reference.text(texts["ids"], texts["mask"])
        torch.testing.assert_close(a.tokens, images, **near)
        torch.testing.assert_close(a.pooled, images[:, 0], **near)
        torch.testing.assert_close(b.tokens[b.mask], words[b.mask], **near)
        torch.testing.assert_close(b.pooled, words[:, 0], **near)
        torch.testing.assert_close(
            model.similarity(a.pooled, b.pooled), reference.similarity(images[:, 0], words[:, 0]), **near
        )
        fused = reference.fuse(images, words, texts["mask"])
        torch.testing.assert_close(model.fuse(a, b), fused, **near)
        torch.testing.assert_close(model.head(model.fuse(a, b)), reference.matching(fused), **near)
        odds = reference.matching(fused).softmax(1)
        matching = model.association(a, b)["matching"]
        torch.testing.assert_close(matching.sigmoid(), odds[:, 1], **near)


def test_the_size_is_read_off_the_shapes(tmp_path):
    config = AlbefBackbone.from_checkpoint(str(saved(tmp_path, made.published(size=48, patch=8)))).config
    assert (config.image_size, config.patch, config.width, config.heads) == (48, 8, 128, 2)
    assert (config.image_layers, config.text_layers, config.fusion_layers) == (2, 2, 3)
    assert (config.embedding, config.text_length, config.encoders) == (16, 30, "trained")


@torch.no_grad()
def test_a_pretraining_file_of_256_pixels_is_read_at_384(tmp_path):
    tensors = made.published("pretraining", size=256, patch=64)
    path = saved(tmp_path, tensors)
    assert AlbefBackbone.from_checkpoint(str(path)).config.image_size == 384
    first, *cells = tensors["visual_encoder.pos_embed"][0]
    rows = [torch.stack(cells[row * 4 : row * 4 + 4]) for row in range(4)]
    channels = torch.stack(rows).unbind(-1)
    larger = [
        functional.interpolate(channel[None, None], (6, 6), mode="bicubic")[0, 0] for channel in channels
    ]
    positions = torch.cat([first[None], torch.stack(larger, -1).reshape(36, -1)])
    pixels = pixels_of(2, 384)
    expected = made.Reference(tensors, "pretraining").image(pixels, positions)
    model = loaded(path).eval()
    torch.testing.assert_close(model.encode("image", {"pixels": pixels}).tokens, expected, **near)


def test_a_finetuned_file_keeps_its_size(tmp_path):
    path = saved(tmp_path, made.published(size=256, patch=64))
    assert AlbefBackbone.from_checkpoint(str(path)).config.image_size == 256


def epsilons(model) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.LayerNorm):
            found.setdefault(name.partition(".")[0], set()).add(module.eps)
    return found


@pytest.mark.parametrize("variant", ["packaged", "tiny", "small"])
def test_the_variants_that_have_records_are_as_they_were(variant):
    backbone = AlbefBackbone(variant)
    with torch.device("meta"):
        found = epsilons(backbone.build())
    assert set.union(*found.values()) == {1e-5}


def test_pixels_of_tiny_are_scaled_as_before():
    """To the last bit, for every value that a pixel can have."""
    model, seen = AlbefBackbone("tiny").build(), []
    pixels = torch.arange(32 * 32 * 3).remainder(256).to(torch.uint8).reshape(1, 32, 32, 3)
    model.image.patches.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.encode("image", {"pixels": pixels})
    assert torch.equal(seen[0], pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0)


def test_base_and_checkpoints_have_the_published_details(small_albef_file):
    with torch.device("meta"):
        base = AlbefBackbone("base").build()
    for model in (base, loaded(small_albef_file)):
        assert epsilons(model) == {"image": {1e-6}, "text": {1e-12}, "fusion": {1e-12}}
    expected = (made.MEAN, made.STD)
    for backbone in (AlbefBackbone("base"), AlbefBackbone.from_checkpoint(str(small_albef_file))):
        assert (backbone.config.mean, backbone.config.std) == expected
    assert {*loaded(small_albef_file).state_dict()} == {
        name for name, _ in loaded(small_albef_file).named_parameters()
    }


def test_half_precision_becomes_single(tmp_path, small_albef):
    half = {name: value.half() if value.is_floating_point() else value for name, value in small_albef.items()}
    state = loaded(saved(tmp_path, half)).state_dict()
    assert {value.dtype for value in state.values()} == {torch.float32}
    assert torch.equal(state["image.cls"], half["visual_encoder.cls_token"].float())


@pytest.mark.parametrize("wrapper", ["module.", "module._orig_mod."])
def test_names_that_torchs_wrappers_lengthened_are_read(tmp_path, small_albef, small_albef_file, wrapper):
    path = saved(tmp_path, {f"{wrapper}{name}": value for name, value in small_albef.items()})
    found, wanted = loaded(path).state_dict(), loaded(small_albef_file).state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_everything_comes_from_the_file_and_trains(small_albef_file):
    first, second = loaded(small_albef_file, seed=0), loaded(small_albef_file, seed=1)
    for (name, one), other in zip(first.named_parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other), name
        assert one.isfinite().all(), name
        assert one.requires_grad
    a, b = first.encode("image", {"pixels": pixels_of(3)}), first.encode("text", texts_of(30, 5, 9))
    first.forward_encoded(a, b, Targets(torch.eye(3, dtype=torch.bool))).loss.backward()
    for name, parameter in first.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_heads_that_the_file_lacks_are_new(tmp_path, small_albef):
    path = saved(tmp_path, without(small_albef, "vision_proj.", "text_proj.", "itm_head.", "temp"))
    assert AlbefBackbone.from_checkpoint(str(path)).config.embedding == 256
    one, same, other = (loaded(path, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    new = {name for name in one if not torch.equal(one[name], other[name])}
    heads = ("image_embedding", "text_embedding", "matching")
    assert new == {f"{head}.{kind}" for head in heads for kind in ("weight", "bias")}
    assert one["log_temperature"].exp().item() == pytest.approx(0.07)


def with_classes(tensors: made.Tensors, classes: int) -> made.Tensors:
    draw = made.Drawing(5)
    draw.linear("cls_head.0", 64, 64)
    draw.linear("cls_head.2", classes, 64)
    return without(tensors, "vision_proj.", "text_proj.", "itm_head.", "temp") | draw.tensors


def test_the_head_for_entailment_comes_in_our_order_of_the_classes(tmp_path, small_albef):
    tensors = with_classes(small_albef, 3)
    model = loaded(saved(tmp_path, tensors), TaskShape(3))
    fused = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    hidden = functional.linear(fused, tensors["cls_head.0.weight"], tensors["cls_head.0.bias"]).relu()
    published = functional.linear(hidden, tensors["cls_head.2.weight"], tensors["cls_head.2.bias"])
    order = ["contradiction", "neutral", "entailment"]
    for task in ("snli_ve", "flags_ve"):
        names = TASKS.get(task).classes
        expected = published[:, [order.index(name) for name in names]]
        torch.testing.assert_close(model.head(fused), expected, **near)


@pytest.mark.parametrize(
    ("classes", "shape"), [(3, TaskShape(2)), (2, TaskShape(3)), (3, TaskShape(3, 2)), (2, TaskShape(2))]
)
def test_a_head_for_other_classes_is_new(tmp_path, small_albef, classes, shape):
    path = saved(tmp_path, with_classes(small_albef, classes))
    one, other = (loaded(path, shape, seed).state_dict() for seed in (0, 1))
    assert not torch.equal(one["classes.0.weight"], other["classes.0.weight"])
    assert one["classes.2.bias"].shape == (shape.classes,)
    assert torch.equal(one["fusion.0.norm3.weight"], other["fusion.0.norm3.weight"])


def test_groups_of_images_start_from_a_file_for_single_ones(small_albef_file):
    model = loaded(small_albef_file, TaskShape(2, 2))
    a = model.encode("image", {"pixels": pixels_of(6).unflatten(0, (3, 2))})
    b = model.encode("text", texts_of(30, 5, 9))
    assert a.tokens.shape == (3, 2 * 5, 64)
    labels = torch.tensor([0, 1, 1])
    model.forward_encoded(a, b, Targets(torch.eye(3, dtype=torch.bool), labels)).loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def for_two_images(tensors: made.Tensors) -> made.Tensors:
    """As the authors make it: fusion layers doubled, each two sharing keys and values of cross-attention."""
    doubled = without(tensors, f"{LAYER}.{made.TEXT_LAYERS}", f"{LAYER}.3", f"{LAYER}.4", "itm_head.")
    for i in range(made.FUSION_LAYERS):
        prefix = f"{LAYER}.{made.TEXT_LAYERS + i}."
        for name, value in tensors.items():
            if name.startswith(prefix):
                rest = name[len(prefix) :]
                shared = "crossattention.self.key" in rest or "crossattention.self.value" in rest
                for copy in range(2):
                    number = made.TEXT_LAYERS + 2 * i + copy
                    doubled[f"{LAYER}.{number}.{rest}"] = value if shared else value + 0.1 * copy
    return doubled


@pytest.mark.parametrize("name", ["checkpoint.pth", "checkpoint.safetensors"])
def test_the_form_for_two_images_is_refused(tmp_path, small_albef, name):
    path = saved(tmp_path, for_two_images(small_albef), name)
    with pytest.raises(UsageError, match=r"form for two images \(NLVR2\).*start from ALBEF.pth"):
        AlbefBackbone.from_checkpoint(str(path))


def test_name_argument_and_identity(tmp_path, small_albef, small_albef_file, monkeypatch):
    digest = sha256_of(small_albef_file)[:12]
    backbone = AlbefBackbone.from_checkpoint(str(small_albef_file))
    assert backbone.full_name == f"albef:albef.pth@{digest}"
    assert backbone.argument == f"albef:{small_albef_file}@{digest}"
    assert backbone.identity["name"] == backbone.full_name
    again = AlbefBackbone.from_checkpoint(backbone.argument.removeprefix("albef:"))
    assert (again.full_name, again.argument) == (backbone.full_name, backbone.argument)
    monkeypatch.chdir(small_albef_file.parent)
    task = TASKS.get("emoji")()
    bare = find_backbone("albef:albef.pth", task)
    assert bare.argument == f"albef:./albef.pth@{digest}"
    assert find_backbone(bare.argument, task).identity == backbone.identity
    other = saved(tmp_path, small_albef | {"temp": torch.tensor(0.06)}, "a b:ü.pth")
    named = AlbefBackbone.from_checkpoint(str(other)).full_name
    assert named.startswith("albef:a_b__.pth@") and not named.endswith(digest)


def test_an_old_file_is_read_too(tmp_path, small_albef, small_albef_file, recwarn):
    path = tmp_path / "old.pth"
    torch.save(made.file_content(small_albef), path, _use_new_zipfile_serialization=False)
    old, new = loaded(path).state_dict(), loaded(small_albef_file).state_dict()
    assert all(torch.equal(old[name], new[name]) for name in new)
    assert not recwarn.list


def test_inputs(small_albef_file):
    backbone = AlbefBackbone.from_checkpoint(str(small_albef_file))
    found = backbone.prepare("text", RawItems(texts=["a cat", "word " * 50]), Progress().track)
    assert found["ids"].shape == (2, 30) and found["mask"].sum(1).tolist() == [4, 30]
    images = RawItems(images=[pixels_of(1, 40)[0].numpy()])
    assert backbone.prepare("image", images, Progress().track).compute(range(1)).shape == (1, 32, 32, 3)


@pytest.mark.slow
def test_a_run_from_a_checkpoint(small_albef_file, run_through):
    record = run_through("emoji", f"albef:{small_albef_file}", "mmul", reference=False)
    assert record.spec.backbone == AlbefBackbone.from_checkpoint(str(small_albef_file)).full_name
