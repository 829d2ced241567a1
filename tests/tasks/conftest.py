"""Miniatures of the official data sets."""

from __future__ import annotations

import shutil
from pathlib import Path

import miniatures
import pytest


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """All miniatures; tests leave them as they are."""
    return miniatures.write_all(tmp_path_factory.mktemp("miniatures"))


@pytest.fixture
def own(kept, tmp_path) -> Path:
    """All miniatures, to spoil."""
    return Path(shutil.copytree(kept, tmp_path / "data", symlinks=True))
