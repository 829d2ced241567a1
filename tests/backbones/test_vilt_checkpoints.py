from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from vilt_checkpoints import MLM, NLVR2, NLVR2_SETTINGS, PUBLISHED, RETRIEVAL, write_checkpoint
from vilt_toys import PAIR, SHAPES, built, differs, near

from mmulbench.backbones._packaged_encoders import tokenize
from mmulbench.backbones._vilt_models import ViltSize
from mmulbench.backbones.vilt import ViltBackbone
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.seeds import torch_seeded


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, tuple[Path, Any]]:
    """Folder and transformers model of each published form; tests leave them as they are."""
    found: dict[str, tuple[Path, Any]] = {}
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        (RETRIEVAL, {}),
        (NLVR2, NLVR2_SETTINGS),
        (MLM, {}),
        ("Model", {}),
    )
    for kind, settings in forms:
        folder = tmp_path_factory.mktemp(kind)
        found[kind] = (folder, write_checkpoint(folder, kind, **settings))
    return found


WORDS = ("a red heart", "two cats on a beach at night with a rather long tail of words", "dog")


def raw_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 90, 90, 3), dtype=np.uint8)


def processed(folder: Path, images: np.ndarray) -> torch.Tensor:
    """Pixels of square images by the published image processor."""
    from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

    processor = ViltImageProcessorPil.from_pretrained(str(folder))
    return processor(list(images), return_tensors="pt")["pixel_values"]


def through_backbone(backbone: Any, model: Any, images: np.ndarray, group: int = 1) -> torch.Tensor:
    """The head's logits from raw images and `WORDS`, everything prepared by the backbone."""
    pixels = backbone.prepare("image", RawItems(images=images), Progress().track).compute(range(len(images)))
    if group > 1:
        pixels = pixels.unflatten(0, (-1, group))
    texts = backbone.prepare("text", RawItems(texts=WORDS), Progress().track)
    model.eval()
    with torch.no_grad():
        return model.head(model.fuse(model.encode("image", {"pixels": pixels}), model.encode("text", texts)))


def published_inputs(folder: Path, images: np.ndarray) -> dict[str, torch.Tensor]:
    ids, mask = tokenize(WORDS, PUBLISHED["max_position_embeddings"])
    return {"input_ids": ids.long(), "attention_mask": mask.long(), "pixel_values": processed(folder, images)}


@pytest.mark.parametrize("weights", ["one file", "shards", "pickle"])
def test_published_rank_scores_are_reproduced(weights, tmp_path):
    reference = write_checkpoint(tmp_path, RETRIEVAL, weights)
    if weights == "shards":
        assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
        assert not (tmp_path / "model.safetensors").exists()
    backbone = ViltBackbone.from_checkpoint(str(tmp_path))
    images = raw_images(3)
    expected = reference(**published_inputs(tmp_path, images)).logits[:, 0]
    found = through_backbone(backbone, built(backbone=backbone), images)[:, 1]
    torch.testing.assert_close(found, expected, **near)
    assert differs(found, found.flip(0))


def test_published_nlvr2_logits_are_reproduced(checkpoints):
    folder, reference = checkpoints[NLVR2]
    backbone = ViltBackbone.from_checkpoint(str(folder))
    images = raw_images(6)
    inputs = published_inputs(folder, images)
    inputs["pixel_values"] = inputs["pixel_values"].unflatten(0, (3, 2))
    found = through_backbone(backbone, built(PAIR, backbone), images, group=2)
    torch.testing.assert_close(found, reference(**inputs).logits, **near)
    assert differs(found, found.flip(0))


def test_a_classifier_of_single_images_is_reproduced(tmp_path):
    """The head has the form of the published one for VQA."""
    labels: dict[str, Any] = {"id2label": {0: "entailment", 1: "neutral", 2: "contradiction"}}
    reference = write_checkpoint(tmp_path, "ForQuestionAnswering", **labels)
    backbone = ViltBackbone.from_checkpoint(str(tmp_path))
    images = raw_images(3)
    found = through_backbone(backbone, built(TaskShape(3), backbone), images)
    torch.testing.assert_close(found, reference(**published_inputs(tmp_path, images)).logits, **near)


@pytest.mark.parametrize("kind", [RETRIEVAL, NLVR2, MLM, "Model"])
@pytest.mark.parametrize("shape", [*SHAPES, TaskShape(2)], ids=str)
def test_every_checkpoint_serves_every_task(kind, shape, checkpoints):
    folder, reference = checkpoints[kind]
    backbone = ViltBackbone.from_checkpoint(str(folder))
    torch.rand(3)  # what was drawn before must not matter
    one, other = built(shape, backbone), built(shape, backbone)
    fitting = {RETRIEVAL: TaskShape(), NLVR2: PAIR}.get(kind)
    published = getattr(reference, "vilt", reference).state_dict()
    kinds = "embeddings.token_type_embeddings.weight"
    for name, value in one.vilt.state_dict().items():
        if name != kinds:
            assert torch.equal(value, published[name]), name
    rows = one.vilt.state_dict()[kinds]
    assert torch.equal(rows[: len(published[kinds])], published[kinds]) and len(rows) > shape.group
    assert all(torch.equal(row, published[kinds][-1]) for row in rows[len(published[kinds]) :])
    same = {name: torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items()}
    assert all(same.values()), "the same seed gives the same weights"
    head = getattr(reference, "rank_output", getattr(reference, "classifier", None))
    if shape == fitting:
        assert all(
            torch.equal(*pair) for pair in zip(one.output.parameters(), head.parameters(), strict=True)
        )
    else:
        with torch_seeded(1, "vilt"):
            third = backbone.build(shape)
        weights = [p for p in one.output.parameters() if p.ndim > 1]
        drawn = [p for p in third.output.parameters() if p.ndim > 1]
        assert not any(torch.equal(*pair) for pair in zip(weights, drawn, strict=True)), "the head is new"
        assert all(weight.abs().max() < 0.12 for weight in weights)
    assert one.training and all(module.training for module in one.modules())


def test_loading_is_quiet(checkpoints, capfd):
    for kind in (RETRIEVAL, MLM):
        built(backbone=ViltBackbone.from_checkpoint(str(checkpoints[kind][0])))
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


def test_the_settings_of_the_published_checkpoints_are_read(tmp_path):
    """``config.json`` of dandelin/vilt-b32-finetuned-flickr30k, word for word."""
    config = {
        "architectures": ["ViltForImageAndTextRetrieval"],
        "attention_probs_dropout_prob": 0.0,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "hidden_size": 768,
        "image_size": 384,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-12,
        "max_image_length": -1,
        "max_position_embeddings": 40,
        "modality_type_vocab_size": 2,
        "model_type": "vilt",
        "num_attention_heads": 12,
        "num_channels": 3,
        "num_hidden_layers": 12,
        "num_images": -1,
        "patch_size": 32,
        "qkv_bias": True,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "transformers_version": "4.16.0.dev0",
        "type_vocab_size": 2,
        "vocab_size": 30522,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.save({}, tmp_path / "pytorch_model.bin")
    found = ViltBackbone.from_checkpoint(str(tmp_path))
    assert found.config == ViltSize(384, 40, 32, 768, 12, 12)


def test_the_content_is_part_of_the_identity(checkpoints, tmp_path):
    folder, _ = checkpoints[RETRIEVAL]
    backbone = ViltBackbone.from_checkpoint(str(folder))
    write_checkpoint(tmp_path, RETRIEVAL, seed=1)
    other = ViltBackbone.from_checkpoint(str(tmp_path))
    assert backbone.identity["name"].rpartition("@")[2] != other.identity["name"].rpartition("@")[2]
    assert {**other.identity, "name": ""} == {**backbone.identity, "name": ""}
    assert backbone.config.std == (0.5, 0.5, 0.25)
    task = TASKS.get("emoji")()
    again = find_backbone(backbone.argument, task)
    assert again.identity == backbone.identity
    with pytest.raises(UsageError, match="digest"):
        find_backbone(backbone.argument.replace(str(folder), str(tmp_path)), task)


def spoiled(folder: Path, target: Path, **settings: Any) -> str:
    shutil.copytree(folder, target, dirs_exist_ok=True)
    path = target / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    return str(target)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model_type": "blip"}, "model_type 'blip'"),
        ({"image_size": [64, 64]}, r"config.json: image_size must be a number of pixels, not \[64, 64\]"),
        ({"hidden_size": "wide"}, "config.json"),
        ({"num_hidden_layers": 3}, "lack .* parameters"),
        ({"intermediate_size": 128}, "other shapes"),
        ({"vocab_size": 100}, "other shapes"),
    ],
    ids=lambda value: str(next(iter(value))) if isinstance(value, dict) else "",
)
def test_a_configuration_that_does_not_fit_is_one_line(settings, says, checkpoints, tmp_path):
    with pytest.raises(MmulbenchError, match=says) as caught:
        ViltBackbone.from_checkpoint(spoiled(checkpoints[RETRIEVAL][0], tmp_path, **settings)).build()
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_a_tokeniser_of_another_model_is_refused(tmp_path):
    write_checkpoint(tmp_path, RETRIEVAL, vocab_size=1500)
    backbone = ViltBackbone.from_checkpoint(str(tmp_path))
    with pytest.raises(MmulbenchError, match="tokeniser"):
        backbone.prepare("text", RawItems(texts=WORDS), Progress().track)


@pytest.mark.slow
def test_a_checkpoint_runs_through_the_pipeline(checkpoints, run_through):
    folder, _ = checkpoints[RETRIEVAL]
    record = run_through("emoji", f"vilt:{folder}", "finetune", reference=False)
    assert record.spec.backbone == ViltBackbone.from_checkpoint(str(folder)).full_name
