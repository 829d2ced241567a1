"""Plain transformers loads what was written, and its own forward gives the same scores."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from given_models import CARD, CLASSES, GROUPS, PICTURES, RETRIEVAL, answers, loud, opened
from PIL import Image

from mmulbench.exports.write import write_model

NEAR: dict[str, Any] = {"rtol": 1e-4, "atol": 2e-4}

CASES = {
    "CLIP": ("clip:tiny", "CLIPModel"),
    "SigLIP": ("clip:tiny-siglip", "SiglipModel"),
    "BLIP": ("blip:tiny", "BlipForImageTextRetrieval"),
    "ViLT": ("vilt:tiny", "ViltForImageAndTextRetrieval"),
    "published CLIP": ("clip", "CLIPModel"),
    "published SigLIP": ("siglip", "SiglipModel"),
    "published BLIP": ("blip", "BlipForImageTextRetrieval"),
    "published ViLT": ("vilt", "ViltForImageAndTextRetrieval"),
}


def loaded(name: str, folder: Path) -> Any:
    """A transformers model, every weight of which must be in the folder."""
    model, found = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    return model.eval()


def made_inputs(folder: Path, name: str, size: int, length: int) -> Any:
    """What the written processor makes of pictures of any size and of texts."""
    from given_models import TEXTS

    images = [Image.fromarray(one) for one in PICTURES]
    if name.startswith("Vilt"):  # its processor keeps an image's proportions
        images = [image.resize((size, size), Image.Resampling.BICUBIC) for image in images]
    cls = transformers.PreTrainedTokenizerFast if name == "SiglipModel" else transformers.AutoTokenizer
    text = cls.from_pretrained(folder)(
        list(TEXTS), padding="max_length", truncation=True, max_length=length, return_tensors="pt"
    )
    pixels = transformers.AutoImageProcessor.from_pretrained(folder)(images, return_tensors="pt")
    return {**text, **pixels}


def written(full_name: str, shape: Any, folder: Path, start: Any) -> tuple[Any, Any]:
    backbone = opened(full_name) if ":" in full_name else start(full_name)
    model = loud(backbone, shape)
    write_model(model, backbone, shape, folder, CARD)
    return backbone, model


@pytest.mark.parametrize(("full_name", "name"), CASES.values(), ids=CASES)
def test_retrieval_scores_are_those_of_transformers(full_name, name, start, tmp_path):
    folder = tmp_path / "export"
    backbone, model = written(full_name, RETRIEVAL, folder, start)
    theirs = loaded(name, folder)
    inputs = made_inputs(folder, name, backbone.config.image_size, backbone.config.text_length)
    mine = answers(model, backbone, RETRIEVAL)
    with torch.no_grad():
        if name == "BlipForImageTextRetrieval":
            torch.testing.assert_close(theirs(**inputs).itm_score, mine["matching"], **NEAR)
            cosine = theirs(**inputs, use_itm_head=False).itm_score
            torch.testing.assert_close(cosine / model.log_temperature.exp(), mine["contrastive"], **NEAR)
            spread = cosine.std()
        elif name == "ViltForImageAndTextRetrieval":
            logits = theirs(**inputs).logits[:, 0]
            torch.testing.assert_close(logits, mine["matching"][:, 1], **NEAR)
            spread = logits.std()
        else:
            logits = theirs(**inputs).logits_per_image
            torch.testing.assert_close(logits, mine["contrastive"], **NEAR)
            spread = logits.std()
    assert spread > 0.01, "too alike to tell"


@pytest.mark.parametrize(
    ("shape", "name"),
    [(CLASSES, "ViltForQuestionAnswering"), (GROUPS, "ViltForImagesAndTextClassification")],
    ids=["classes", "groups"],
)
@pytest.mark.parametrize("full_name", ["vilt:tiny", "vilt"])
def test_vilts_classes_are_those_of_transformers(full_name, shape, name, start, tmp_path):
    folder = tmp_path / "export"
    backbone, model = written(full_name, shape, folder, start)
    inputs = made_inputs(folder, name, backbone.config.image_size, backbone.config.text_length)
    pixels = inputs.pop("pixel_values")
    inputs.pop("pixel_mask")
    pixels = torch.stack([pixels] * shape.group, 1) if shape.group > 1 else pixels
    with torch.no_grad():
        logits = loaded(name, folder)(**inputs, pixel_values=pixels).logits
    torch.testing.assert_close(logits, answers(model, backbone, shape)["classification"], **NEAR)


@pytest.mark.parametrize(("full_name", "name"), [*CASES.values()][:3], ids=[*CASES][:3])
def test_the_encoders_of_a_classifier_are_those_of_transformers(full_name, name, start, tmp_path):
    folder = tmp_path / "export"
    backbone, model = written(full_name, CLASSES, folder, start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(transformers, name).from_pretrained(folder).eval()
    inputs = made_inputs(folder, name, backbone.config.image_size, backbone.config.text_length)
    with torch.no_grad():
        found = theirs.vision_model(pixel_values=inputs["pixel_values"]).pooler_output
    if name == "BlipForImageTextRetrieval":
        with torch.no_grad():
            found = theirs.vision_model(pixel_values=inputs["pixel_values"]).last_hidden_state[:, 0]
    torch.testing.assert_close(found, answers(model, backbone, CLASSES)["pooled"], **NEAR)


def test_no_head_of_the_start_is_handed_on(start, published, tmp_path):
    """A classifier has no heads for retrieval; those of its start may know what was to be forgotten."""
    from safetensors.torch import load_file

    for kind in ("blip", "clip", "siglip", "vilt"):
        written(kind, CLASSES, tmp_path / kind, start)
        found = load_file(tmp_path / kind / "model.safetensors")
        given = load_file(published[kind] / "model.safetensors")
        same = [name for name, value in found.items() if torch.equal(value, given.get(name, torch.empty(0)))]
        assert not same
