"""Checkpoints that tests leave as they are, and nothing is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import albef_checkpoints
import blip_checkpoints
import clip_checkpoints
import pytest
import vilt_checkpoints
from given_models import CARD, RETRIEVAL, loud, opened

from mmulbench.backbones._checkpoint_backbone import CheckpointBackbone
from mmulbench.core.registry import BACKBONES
from mmulbench.exports.write import write_model


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> dict[str, Path]:
    """Checkpoints of others, by family."""
    root = tmp_path_factory.mktemp("published")
    vilt_checkpoints.write_checkpoint(root / "vilt", vilt_checkpoints.RETRIEVAL)
    return {
        "clip": clip_checkpoints.write(root / "clip", clip_checkpoints.make("clip")),
        "siglip": clip_checkpoints.write(root / "siglip", clip_checkpoints.make("siglip")),
        "blip": blip_checkpoints.write(root / "blip"),
        "vilt": root / "vilt",
        "albef": albef_checkpoints.saved(root, albef_checkpoints.published(width=64)),
    }


@pytest.fixture(scope="session")
def start(published) -> Callable[[str], CheckpointBackbone]:
    """The backbone that starts from the published checkpoint of a family."""

    def get(kind: str) -> CheckpointBackbone:
        cls = BACKBONES.get("clip" if kind == "siglip" else kind)
        found = cls.from_checkpoint(str(published[kind]))
        assert isinstance(found, CheckpointBackbone)
        return found

    return get


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """An export of clip:tiny for retrieval."""
    folder = tmp_path_factory.mktemp("kept") / "kept"
    backbone = opened("clip:tiny")
    write_model(loud(backbone), backbone, RETRIEVAL, folder, CARD)
    return folder


@pytest.fixture
def own(kept, tmp_path) -> Path:
    """The same, to spoil."""
    return Path(shutil.copytree(kept, tmp_path / "own"))
