"""What files of weights say of the data they were trained on, whatever stands in them."""

from __future__ import annotations

import json

import pytest
import torch
from albef_checkpoints import published, saved
from checkpoint_tools import load
from safetensors.torch import load_file, save_file

from mmulbench.backbones._pretrained.albef_checkpoint import open_checkpoint
from mmulbench.backbones._pretrained.provenance import TRAINED_ON, file_names, in_configuration, in_metadata
from mmulbench.core.backbone import SaysItsData


def write_metadata(path, text: str) -> None:
    save_file(load_file(path), path, {"format": "pt", TRAINED_ON: text})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("data/flickr30k_train.json", {"flickr30k_train.json"}),
        (["/a/coco.json", "b/vg.json"], {"coco.json", "vg.json"}),
        (["x.json", 3, None, ["y.json"], ""], {"x.json"}),
        ({"train": "x.json"}, set()),
        (None, set()),
    ],
)
def test_names_of_files(value, names):
    assert file_names(value) == names
    assert in_configuration({"config": {"train_file": value}}) == names


@pytest.mark.parametrize("found", [None, [], {}, {"config": None}, {"config": {}}, torch.zeros(1)])
def test_a_file_that_says_nothing(found):
    assert in_configuration(found) == frozenset()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('["abc", "folder/x_train.json"]', {"abc", "x_train.json"}),
        ('"abc"', {"abc"}),
        ("abc", set()),
        ('{"a": 1}', set()),
        ("[" * 100_000, set()),
    ],
)
def test_metadata_of_a_transformers_checkpoint(own_blip, text, names):
    before = load(own_blip).checkpoint
    assert isinstance(before, SaysItsData) and before.trained_on == frozenset()
    write_metadata(own_blip / "model.safetensors", text)
    after = load(own_blip).checkpoint
    assert after.trained_on == names
    assert after.digest != before.digest


def test_a_damaged_file_says_nothing(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"no such thing")
    assert in_metadata(path) == in_metadata(tmp_path / "pytorch_model.bin") == frozenset()


def test_the_authors_files_name_their_training_files(tmp_path):
    tensors = published(width=64)
    said = open_checkpoint(str(saved(tmp_path, tensors)), "albef")
    assert isinstance(said, SaysItsData) and said.trained_on == {"a.json"}
    safe = saved(tmp_path, tensors, "albef.safetensors")
    assert open_checkpoint(str(safe), "albef").trained_on == frozenset()
    write_metadata(safe, json.dumps(["flickr30k_train.json"]))
    assert open_checkpoint(str(safe), "albef").trained_on == {"flickr30k_train.json"}
