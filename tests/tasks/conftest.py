"""Miniatures of the official data sets."""

from __future__ import annotations

import shutil
from pathlib import Path

import miniatures
import pytest
import relation_miniatures


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """All miniatures; tests leave them as they are."""
    root = miniatures.write_all(tmp_path_factory.mktemp("miniatures"))
    return relation_miniatures.write_all(root)


@pytest.fixture
def own(kept, tmp_path) -> Path:
    """All miniatures, to spoil."""
    return Path(shutil.copytree(kept, tmp_path / "data", symlinks=True))
