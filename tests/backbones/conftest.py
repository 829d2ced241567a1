"""Nothing is fetched, and checkpoints and models that several files of tests read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import albef_checkpoints as made
import blip_checkpoints
import pytest
from albef_checkpoints import saved
from clip_toys import RETRIEVAL, loud

from mmulbench.model import TaskShape


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No hub, and an empty cache of one; the environment is read when its client is imported."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="session")
def kept_blip(tmp_path_factory) -> Path:
    """A checkpoint that tests leave as it is."""
    return blip_checkpoints.write(tmp_path_factory.mktemp("kept") / "blip-tiny")


@pytest.fixture
def own_blip(kept_blip, tmp_path) -> Path:
    """A checkpoint to spoil."""
    return Path(shutil.copytree(kept_blip, tmp_path / "blip-tiny"))


@pytest.fixture(scope="module")
def small_albef():
    """The tensors of a small file of ALBEF's, to be copied and changed."""
    return made.published(width=64)


@pytest.fixture(scope="module")
def small_albef_file(tmp_path_factory, small_albef) -> Path:
    return saved(tmp_path_factory.mktemp("small"), small_albef)


@pytest.fixture(scope="module")
def quiet_clip():
    """Models that no test changes, by variant and shape."""
    made: dict[tuple[str, TaskShape], Any] = {}

    def get(variant: str, shape: TaskShape = RETRIEVAL) -> Any:
        if (variant, shape) not in made:
            made[variant, shape] = loud(variant, shape).eval().requires_grad_(False)
        return made[variant, shape]

    return get
