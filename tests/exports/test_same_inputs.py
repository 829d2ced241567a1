from __future__ import annotations

import json
import shutil

import pytest
from given_models import opened

from mmulbench.backbones.clip import ClipBackbone
from mmulbench.backbones.vilt import ViltBackbone
from mmulbench.exports.same_inputs import same_inputs


def changed(published, folder, file, **changes):
    shutil.copytree(published["clip"], folder)
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return ClipBackbone.from_checkpoint(str(folder))


def test_other_weights_read_the_same_inputs(start, published, tmp_path):
    shutil.copytree(published["clip"], tmp_path / "copy")
    (tmp_path / "copy" / "notes.json").write_text("{}")
    copy = ClipBackbone.from_checkpoint(str(tmp_path / "copy"))
    assert copy.full_name != start("clip").full_name
    assert same_inputs(start("clip"), copy) == ""


def test_families_and_sizes_are_told_apart():
    assert same_inputs(opened("clip:tiny"), opened("blip:tiny")) == (
        "clip:tiny is of the family clip, blip:tiny of blip"
    )
    said = same_inputs(opened("clip:tiny"), opened("clip:small"))
    assert said == "image_size is 32 in clip:tiny, but 64 in clip:small"
    assert "encoders is" in same_inputs(opened("albef:tiny"), opened("albef:packaged"))


def test_pixels_are_told_apart(start, published, tmp_path):
    other = changed(published, tmp_path / "o", "preprocessor_config.json", image_mean=[0.5, 0.5, 0.5])
    assert same_inputs(start("clip"), other).startswith("mean is [0.5, 0.4, 0.3] in clip:clip@")


def test_tokenisers_are_told_apart(start, published, tmp_path):
    content = json.loads((published["clip"] / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    other = changed(published, tmp_path / "o", "tokenizer.json", model=content["model"])
    assert same_inputs(start("clip"), other).endswith("have different tokenisers")


def test_cutting_and_padding_are_not_the_tokenisers_business(start, published, tmp_path):
    cut = {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}
    other = changed(published, tmp_path / "o", "tokenizer.json", truncation=cut)
    assert same_inputs(start("clip"), other) == ""


def test_what_only_training_reads_does_not_count(start, monkeypatch):
    one, other = opened("vilt:tiny"), ViltBackbone("tiny")
    object.__setattr__(other, "config", type(one.config)(**{**vars(one.config), "false_texts": 15}))
    assert same_inputs(one, other) == ""


@pytest.mark.parametrize("name", ["gtnn:tiny", "albef:packaged"])
def test_a_backbone_is_the_same_as_itself(name):
    assert same_inputs(opened(name), opened(name)) == ""
