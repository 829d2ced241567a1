"""Nothing is fetched, and checkpoints and models that several files of tests read."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import albef_checkpoints as made
import blip_checkpoints
import pytest
from albef_checkpoints import saved
from clip_toys import RETRIEVAL, loud

from mmulbench.core.backbone import TaskShape
from mmulbench.core.registry import TASKS
from mmulbench.records.schema import RunResult
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import prepare
from mmulbench.runs.run_spec import make_spec


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


@pytest.fixture
def run_through(workspace, quick_method):
    """Data to record: a method's run on a part of a task, with a model of a backbone trained for an epoch."""

    def run(
        task_name: str, backbone: str, method_name: str, *, reference: bool = True, **settings
    ) -> RunResult:
        cls = TASKS.get(task_name)
        task = cls(cls.Config(**{"limit": 40}))
        recipe = replace(task.recipe, epochs=1, batch_size=32)
        prepared = prepare(task_name, task, find_backbone(backbone, task), recipe, workspace)
        method = quick_method(method_name, **settings)
        spec = make_spec(prepared, method_name, method, 4, 42)
        made = Run(spec, method, "test", reference=reference)
        record = execute(made, prepared, "always").result
        assert record.status == "done", record.reason
        assert workspace.store.find(spec) is not None
        return record

    return run
