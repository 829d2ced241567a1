"""Checkpoints of a CLIP that was trained elsewhere, shared by the tests of what runs make of one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from fine_tuned import fine_tuned, fresh, opened


class Checkpoints(NamedTuple):
    """Folders of a CLIP, all as transformers writes them; tests leave them as they are.

    Attributes:
        start: before any training.
        original: after training on all training pairs of `fine_tuned.LIMIT` emoji.
        retrain: after the same without the forget set of `UNITS` units and `SEED`.
    """

    start: Path
    original: Path
    retrain: Path


SEED, UNITS = 42, 24


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory, workspace) -> Checkpoints:
    root = tmp_path_factory.mktemp("checkpoints")
    start = fresh("clip", root / "clip-start")
    base = opened(start, workspace)
    forget = base.task.forget_units(base.data, UNITS, SEED)
    return Checkpoints(
        start, fine_tuned(base, root / "clip-original"), fine_tuned(base, root / "clip-retrain", forget)
    )
