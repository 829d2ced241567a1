"""The written tokeniser and image settings make what the backbone makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from given_models import PICTURES, TEXTS, inputs_of, opened
from PIL import Image

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones._pixels import Normalisation
from mmulbench.exports.transformers_inputs import image_settings, input_files

KINDS = {"clip": "clip:tiny", "siglip": "clip:tiny-siglip", "blip": "blip:tiny", "vilt": "vilt:tiny"}


def of_kind(kind: str) -> TransformersBackbone:
    found = opened(KINDS[kind])
    assert isinstance(found, TransformersBackbone)
    return found


def spread(files: dict[str, bytes], folder: Path, kind: str) -> Path:
    for name, content in {**files, "config.json": json.dumps({"model_type": kind}).encode()}.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_packaged_tokeniser_is_one_of_transformers(kind, tmp_path):
    backbone = of_kind(kind)
    folder = spread(input_files(backbone, kind), tmp_path, kind)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    found = processor.tokenizer(list(TEXTS), padding="max_length", truncation=True, return_tensors="pt")
    mine = inputs_of(backbone, "text")
    assert torch.equal(found["input_ids"], mine["ids"].long())
    if "mask" in mine:
        assert torch.equal(found["attention_mask"].bool(), mine["mask"])
    assert ("attention_mask" in found) == (kind != "siglip")


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_made_as_ours(kind, tmp_path):
    backbone = of_kind(kind)
    folder = spread(input_files(backbone, kind), tmp_path, kind)
    size = backbone.config
    images = [Image.fromarray(one) for one in PICTURES]
    if kind == "vilt":
        images = [image.resize((size.image_size,) * 2, Image.Resampling.BICUBIC) for image in images]
    found = transformers.AutoImageProcessor.from_pretrained(folder)(images, return_tensors="pt").pixel_values
    mine = Normalisation(size.mean, size.std)(inputs_of(backbone, "image")["pixels"])
    torch.testing.assert_close(found, mine, rtol=1e-5, atol=1e-5)


def test_a_starts_own_tokeniser_is_copied(start, published):
    files = input_files(start("clip"), "clip")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert files[name] == (published["clip"] / name).read_bytes()
    assert json.loads(files["preprocessor_config.json"])["image_mean"] == [0.5, 0.4, 0.3]


def test_nothing_is_cropped():
    settings = image_settings(opened("clip:tiny").config, "clip")
    assert settings["do_center_crop"] is False and settings["size"] == {"height": 32, "width": 32}
