from __future__ import annotations

import json

import blip_checkpoints
import numpy as np
import pytest
import torch
from blip_checkpoints import EMBEDDING, IMAGE, TEXT
from blip_toys import SHAPES, images_of, near, targets, texts_of, track

from mmulbench.backbones.blip import BlipBackbone
from mmulbench.core.backbone import RawItems
from mmulbench.errors import MmulbenchError
from mmulbench.seeds import torch_seeded


@pytest.fixture(scope="module")
def published():
    return blip_checkpoints.make()


@pytest.fixture(scope="module", params=["one file", "shards", "pickled"])
def folder(request, tmp_path_factory, published):
    place = tmp_path_factory.mktemp("checkpoint") / "blip-itm-tiny"
    if request.param == "one file":
        return blip_checkpoints.write(place, published)
    if request.param == "shards":
        blip_checkpoints.write(place, published, max_shard_size="40KB")
        assert len(list(place.glob("model-*.safetensors"))) > 1
        return place
    older = {"text_encoder.embeddings.position_ids": torch.arange(40)[None]}  # in files of transformers 4
    return blip_checkpoints.write_pickled(place, {**published.state_dict(), **older})


PICTURES = np.random.default_rng(0).integers(0, 256, (3, 50, 40, 3), dtype=np.uint8)
CAPTIONS = ("a red heart", "grinning cat", "zebra " * 40)


def test_a_checkpoint_gives_the_numbers_that_transformers_gives(folder, published):
    from transformers import AutoTokenizer
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    backbone = BlipBackbone.from_checkpoint(str(folder))
    model = backbone.build().eval().requires_grad_(False)
    images = backbone.prepare("image", RawItems(images=PICTURES), track)
    a = model.encode("image", {"pixels": images.compute(range(3))})
    texts = backbone.prepare("text", RawItems(texts=CAPTIONS), track)
    assert isinstance(texts, dict)
    b = model.encode("text", texts)

    pixels = BlipImageProcessorPil.from_pretrained(folder)(list(PICTURES), return_tensors="pt").pixel_values
    text = AutoTokenizer.from_pretrained(folder)(
        list(CAPTIONS), padding=True, truncation=True, max_length=35, return_tensors="pt"
    )
    given = {"input_ids": text.input_ids, "attention_mask": text.attention_mask, "pixel_values": pixels}
    with torch.no_grad():
        matching = published(**given).itm_score
        cosine = published(**given, use_itm_head=False).itm_score
    torch.testing.assert_close(model.head(model.fuse(a, b)), matching, **near)
    temperature = model.log_temperature.exp()
    torch.testing.assert_close(model.similarity(a.pooled, b.pooled) * temperature, cosine, **near)
    assert matching.std() > 0.1 and cosine.std() > 0.01, "too alike to tell"


def test_a_checkpoint_decides_size_and_inputs(folder):
    backbone = BlipBackbone.from_checkpoint(str(folder))
    config = backbone.config
    assert (config.image_size, config.patch, config.image_width, config.image_layers) == (32, 16, IMAGE, 2)
    assert (config.text_width, config.text_layers, config.embedding) == (TEXT, 2, EMBEDDING)
    assert (config.mean, config.std) == (tuple(blip_checkpoints.MEAN), tuple(blip_checkpoints.STD))
    inputs = backbone.prepare("text", RawItems(texts=CAPTIONS), track)
    assert inputs["ids"].shape == (3, config.text_length) == (3, 35)
    assert inputs["mask"].sum(1).tolist() == [5, 4, 35]
    assert inputs["ids"][0].tolist()[:6] == [2, 5, 6, 7, 3, 0]
    assert inputs["ids"][2, -1] == 3, "a text that is cut still ends with [SEP]"
    assert BlipBackbone.from_checkpoint(str(folder)).identity == backbone.identity


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_checkpoint_serves_every_kind_of_task(shape, tmp_path, published):
    folder = blip_checkpoints.write(tmp_path / "blip", published)
    backbone = BlipBackbone.from_checkpoint(str(folder))
    with torch_seeded(0, "x"):
        model = backbone.build(shape)
    with torch_seeded(0, "x"):
        again = backbone.build(shape).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())
    before = published.vision_model.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in model.image.state_dict().items())
    count = (4, shape.group) if shape.group > 1 else (4,)
    ids = texts_of([5, 8, 2, 3])
    b = model.encode("text", {**ids, "ids": ids["ids"] % 60})
    model.forward_encoded(model.encode("image", images_of(*count)), b, targets()).loss.backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


def test_heads_that_a_checkpoint_lacks_are_drawn_by_the_seed(tmp_path, published):
    """As of blip-vqa-base, whose encoders come with a decoder."""
    kept = ("vision_model", "text_encoder")
    tensors = {name: value for name, value in published.state_dict().items() if name.startswith(kept)}
    folder = blip_checkpoints.write_pickled(tmp_path / "vqa", {**tensors, "text_decoder.x": torch.zeros(2)})
    backbone = BlipBackbone.from_checkpoint(str(folder))
    states = []
    for seed in (0, 0, 1):
        with torch_seeded(seed, "x"):
            states.append(backbone.build().state_dict())
    one, same, other = states
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    drawn = {name for name, value in one.items() if not torch.equal(value, other[name])}
    assert drawn == {f"{name}.weight" for name in ("image_embedding", "text_embedding", "matching")}


def test_a_captioning_checkpoint_lacks_the_text_encoder(tmp_path, published):
    tensors = {
        name.replace("text_encoder", "text_decoder.bert"): value
        for name, value in published.state_dict().items()
    }
    backbone = BlipBackbone.from_checkpoint(str(blip_checkpoints.write_pickled(tmp_path / "c", tensors)))
    with pytest.raises(MmulbenchError, match=r"lack \d+ parameters .* such as text_encoder\."):
        backbone.build()


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("text_config", {"is_decoder": False}, "is_decoder must be true"),
        ("vision_config", {"image_size": [32, 48]}, "image_size and patch_size must be whole numbers"),
        (
            "vision_config",
            {"hidden_size": "wide"},
            "does not describe a BlipForImageTextRetrieval: .*hidden_size",
        ),
    ],
)
def test_configurations_that_describe_no_such_model(tmp_path, published, part, change, message):
    path = blip_checkpoints.write(tmp_path / "blip", published) / "config.json"
    config = json.loads(path.read_text())
    config[part] |= change
    path.write_text(json.dumps(config))
    with pytest.raises(MmulbenchError, match=f"config.json:? {message}"):
        BlipBackbone.from_checkpoint(str(path.parent))
