from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import clip_checkpoints
import numpy as np
import pytest
import torch
from clip_checkpoints import EMBEDDING, END, IMAGE, LENGTH, START, TEXT

from mmulbench.backbones.clip import ClipBackbone, _problem
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Targets
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.seeds import torch_seeded

FAMILIES = ("clip", "siglip")
SHAPES = {"retrieval": TaskShape(), "classes": TaskShape(3), "groups": TaskShape(3, 2)}
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 50, 40, 3), dtype=np.uint8)
CAPTIONS = ("a red cat", "Two cats, red!", "zebra " * 40)

near: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(scope="module")
def published():
    return {family: clip_checkpoints.make(family) for family in FAMILIES}


@pytest.fixture(scope="module")
def kept(tmp_path_factory, published) -> dict[str, Path]:
    """Checkpoints that tests leave as they are."""
    root = tmp_path_factory.mktemp("kept")
    return {family: clip_checkpoints.write(root / family, published[family]) for family in FAMILIES}


@pytest.fixture
def own(kept, tmp_path):
    """A checkpoint to spoil."""
    return lambda family: Path(shutil.copytree(kept[family], tmp_path / family))


def load(folder: Path) -> ClipBackbone:
    found = ClipBackbone.from_checkpoint(str(folder))
    assert isinstance(found, ClipBackbone)
    return found


def track(iterable, total, description):
    return iterable


def similarity_of(backbone: ClipBackbone) -> torch.Tensor:
    model = backbone.build().eval().requires_grad_(False)
    pixels = backbone.prepare("image", RawItems(images=PICTURES), track).compute(range(len(PICTURES)))
    texts = backbone.prepare("text", RawItems(texts=CAPTIONS), track)
    assert isinstance(texts, dict)
    images = model.encode("image", {"pixels": pixels})
    return model.similarity(images.pooled, model.encode("text", texts).pooled)


def published_similarity(folder: Path, model, family: str) -> torch.Tensor:
    """What transformers' own model, image processor and tokeniser give."""
    from transformers import CLIPTokenizer, PreTrainedTokenizerFast
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    pixels = CLIPImageProcessorPil.from_pretrained(folder)(list(PICTURES), return_tensors="pt").pixel_values
    cls = CLIPTokenizer if family == "clip" else PreTrainedTokenizerFast
    text = cls.from_pretrained(folder)(
        list(CAPTIONS),
        # As in each model's documentation: SigLIP must see texts padded to one length.
        padding=True if family == "clip" else "max_length",
        truncation=True,
        max_length=LENGTH[family],
        return_tensors="pt",
    )
    with torch.no_grad():
        return model(pixel_values=pixels, **text).logits_per_image


def one_file(folder: Path, model) -> None:
    clip_checkpoints.write(folder, model)


def shards(folder: Path, model) -> None:
    clip_checkpoints.write(folder, model, max_shard_size="40KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1


def pickled(folder: Path, model) -> None:
    """With buffers that files of transformers 4 hold."""
    places = {
        f"{part}.embeddings.position_ids": torch.arange(5)[None] for part in ("text_model", "vision_model")
    }
    clip_checkpoints.write_pickled(folder, model, {**model.state_dict(), **places})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", [one_file, shards, pickled])
def test_a_checkpoint_gives_the_numbers_that_transformers_gives(family, layout, published, tmp_path):
    folder = tmp_path / "checkpoint"
    layout(folder, published[family])
    expected = published_similarity(folder, published[family], family)
    torch.testing.assert_close(similarity_of(load(folder)), expected, **near)
    assert expected.std() > 0.05, "too alike to tell"


@pytest.mark.parametrize("end", [2, END], ids=["largest id", "own id"])
def test_clip_is_read_at_its_end_token_by_either_rule(end, tmp_path):
    model = clip_checkpoints.make("clip", eos_token_id=end)
    folder = clip_checkpoints.write(tmp_path / "clip", model)
    expected = published_similarity(folder, model, "clip")
    backbone = load(folder)
    assert backbone.config.end == end
    torch.testing.assert_close(similarity_of(backbone), expected, **near)


def test_a_tokeniser_that_never_ends_texts_is_refused(tmp_path):
    """Transformers would read every text at its first token, where all are alike."""
    folder = clip_checkpoints.write(tmp_path / "clip", clip_checkpoints.make("clip", eos_token_id=3 + END))
    with pytest.raises(MmulbenchError, match=f"tokeniser in .*clip does not end texts with {3 + END}"):
        load(folder).prepare("text", RawItems(texts=CAPTIONS), track)


def test_a_checkpoint_decides_size_and_inputs(kept):
    for family in FAMILIES:
        config = load(kept[family]).config
        assert config.family == family and config.end == (2 if family == "clip" else None)
        assert (config.image_size, config.patch, config.image_width, config.image_layers) == (
            32,
            16,
            IMAGE,
            2,
        )
        assert (config.text_width, config.text_layers, config.text_length) == (TEXT, 2, LENGTH[family])
        assert config.embedding == (EMBEDDING if family == "clip" else IMAGE)
        assert (config.mean, config.std) == (tuple(clip_checkpoints.MEAN), tuple(clip_checkpoints.STD))
        assert load(kept[family]).identity == load(kept[family]).identity
    assert load(kept["clip"]).identity != load(kept["siglip"]).identity


@pytest.mark.parametrize(
    ("family", "mean"), [("clip", (0.48145466, 0.4578275, 0.40821073)), ("siglip", (0.5, 0.5, 0.5))]
)
def test_without_image_settings_pixels_are_normalised_as_published(family, mean, own):
    folder = own(family)
    (folder / "preprocessor_config.json").unlink()
    assert load(folder).config.mean == mean


def test_clip_texts_start_end_and_are_padded(kept, own):
    folder = own("clip")
    clip_checkpoints.write_bpe_in_parts(folder)
    found = [
        load(place).prepare("text", RawItems(texts=CAPTIONS), track)["ids"]
        for place in (kept["clip"], folder)
    ]
    assert torch.equal(*found), "vocab.json and merges.txt say the same as tokenizer.json"
    ids = found[0]
    assert ids.shape == (3, LENGTH["clip"]) and ids.dtype == torch.int32
    pieces = [clip_checkpoints.CLIP_PIECES[number] for number in ids[0]]
    assert pieces[:6] == ["<|startoftext|>", "a</w>", "r", "e", "d</w>", "cat</w>"]
    assert set(pieces[6:]) == {"<|endoftext|>"}
    assert ids[:, 0].tolist() == [START] * 3 and ids[2, -1] == END and ids[2, -2] != END


def test_a_siglip_that_says_nothing_of_its_head_has_one():
    """Older versions of transformers have no such setting."""
    from transformers import SiglipConfig

    config = SiglipConfig()
    image = SimpleNamespace(**config.vision_config.to_dict())
    del image.vision_use_head
    assert _problem("siglip", SimpleNamespace(vision_config=image, text_config=config.text_config)) == ""


def test_siglip_texts_end_and_are_padded(kept):
    """Its files name no mask among the model's inputs, and a tokeniser class that needs sentencepiece."""
    ids = load(kept["siglip"]).prepare("text", RawItems(texts=CAPTIONS), track)["ids"]
    pieces = [clip_checkpoints.SIGLIP_PIECES[number] for number in ids[0]]
    assert pieces == ["▁", "a", "▁red", "▁cat"] + ["</s>"] * 12
    assert ids.shape == (3, LENGTH["siglip"]) and ids[2, -1] == 1 and ids[2, -2] != 1
    assert [clip_checkpoints.SIGLIP_PIECES[n] for n in ids[1]][-4] == "</s>", "no punctuation"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_checkpoint_serves_every_kind_of_task(family, shape, kept, published):
    backbone, source = load(kept[family]), published[family]
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed + 5)  # nothing may hang on the generator outside
        with torch_seeded(seed, "x"):
            model = backbone.build(shape)
        states.append(model.state_dict())
    one, same, other = states
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    drawn = {name.split(".")[0] for name, value in one.items() if not torch.equal(value, other[name])}
    assert drawn == ({"classes"} if shape.classes else set())
    for name, value in source.vision_model.state_dict().items():
        assert torch.equal(value, one[f"image.{name}"])
    head = source.text_projection if family == "clip" else source.text_model.head
    assert torch.equal(one["text_projection.weight"], head.weight)
    pixels = torch.from_numpy(PICTURES[:, None, :32, :32]).repeat(1, shape.group, 1, 1, 1)
    a = model.encode("image", {"pixels": pixels if shape.group > 1 else pixels[:, 0]})
    texts = backbone.prepare("text", RawItems(texts=CAPTIONS), track)
    assert isinstance(texts, dict)
    b = model.encode("text", texts)
    goal = Targets(torch.eye(3, dtype=torch.bool), torch.tensor([0, 1, 2]))
    model.forward_encoded(a, b, goal).loss.backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_in_half_precision_train_in_full(family, published, tmp_path):
    folder = clip_checkpoints.write(tmp_path / "half", clip_checkpoints.make(family).half())
    model = load(folder).build()
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    exact = published[family].vision_model.post_layernorm.weight
    assert torch.equal(model.image.post_layernorm.weight, exact.half().float())


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_configuration_wants_returned_changes_nothing(family, kept, own):
    path = own(family) / "config.json"
    config = json.loads(path.read_text())
    for part in ("vision_config", "text_config"):
        config[part] |= {"return_dict": False, "output_hidden_states": True, "output_attentions": True}
    path.write_text(json.dumps(config))
    found, expected = similarity_of(load(path.parent)), similarity_of(load(kept[family]))
    torch.testing.assert_close(found, expected, **near)


@pytest.mark.parametrize("family", FAMILIES)
def test_other_weights_are_another_backbone(family, kept, own):
    folder = own(family)
    clip_checkpoints.make(family, seed=1).save_pretrained(folder)
    assert load(folder).identity["name"] != load(kept[family]).identity["name"]


@pytest.mark.parametrize(
    ("family", "part", "change", "message"),
    [
        (
            "clip",
            None,
            {"model_type": "blip"},
            "has model_type 'blip', but this backbone reads clip or siglip",
        ),
        (
            "clip",
            "vision_config",
            {"patch_size": [16, 16]},
            "image_size and patch_size must be whole numbers",
        ),
        ("clip", "vision_config", {"num_channels": 1}, "num_channels must be 3, not 1"),
        ("clip", "text_config", {"eos_token_id": None}, "eos_token_id must be a whole number, not None"),
        ("clip", "text_config", {"hidden_size": "wide"}, "does not describe a CLIPModel: .*hidden_size"),
        ("siglip", "vision_config", {"vision_use_head": False}, "vision_use_head must be true"),
        ("siglip", "text_config", {"projection_size": 40}, "texts end in 40 numbers but images in 48"),
        ("siglip", "vision_config", {"hidden_size": []}, "does not describe a SiglipModel: .*hidden_size"),
    ],
)
def test_configurations_that_describe_no_such_model(family, part, change, message, own):
    path = own(family) / "config.json"
    config = json.loads(path.read_text())
    (config[part] if part else config).update(change)
    path.write_text(json.dumps(config))
    with pytest.raises(MmulbenchError, match=f"config.json:? {message}") as caught:
        load(path.parent)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("family", "name"),
    [("clip", "visual_projection"), ("siglip", "text_model.head"), ("siglip", "logit_bias")],
)
def test_a_checkpoint_of_one_encoder_alone_is_refused(family, name, published, tmp_path):
    tensors = {
        key: value for key, value in published[family].state_dict().items() if not key.startswith(name)
    }
    folder = clip_checkpoints.write_pickled(tmp_path / "part", published[family], tensors)
    with pytest.raises(MmulbenchError, match=rf"weights in .*part lack \d parameters .* such as {name}"):
        load(folder).build()


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_another_size_are_refused(family, own):
    path = own(family) / "config.json"
    config = json.loads(path.read_text())
    config["vision_config"]["intermediate_size"] = 80
    path.write_text(json.dumps(config))
    with pytest.raises(
        MmulbenchError, match=r"have other shapes for \d+ parameters of .*, such as vision_model"
    ):
        load(path.parent).build()


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("how", [torch.save, lambda found, path: path.write_bytes(pickle.dumps(found, 2))])
def test_nothing_in_a_pickle_is_run(family, how, own, tmp_path):
    folder, mark = own(family), tmp_path / "executed"
    (folder / "model.safetensors").unlink()
    how({"logit_scale": Hostile(mark)}, folder / "pytorch_model.bin")
    with pytest.raises(MmulbenchError, match=r"pytorch_model\.bin") as caught:
        load(folder).build()
    assert "\n" not in str(caught.value) and not mark.exists()


def test_a_sentencepiece_model_alone_needs_its_package(own):
    folder = own("siglip")
    (folder / "tokenizer.json").unlink()
    (folder / "spiece.model").write_bytes(b"a model")
    with pytest.raises(
        UsageError, match=r"tokeniser in .*siglip needs sentencepiece: run pip install"
    ) as caught:
        load(folder).prepare("text", RawItems(texts=CAPTIONS), track)
    assert "\n" not in str(caught.value)


def test_a_sentencepiece_model_beside_the_json_changes_nothing(kept, own):
    folder = own("siglip")
    (folder / "spiece.model").write_bytes(b"no model at all")
    found = [
        load(place).prepare("text", RawItems(texts=CAPTIONS), track)["ids"]
        for place in (kept["siglip"], folder)
    ]
    assert torch.equal(*found)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_from_a_checkpoint(family, kept, run_through):
    record = run_through("emoji", f"clip:{kept[family]}", "mmul")
    assert record.spec.backbone.startswith(f"clip:{family}@")
