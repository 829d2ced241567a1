"""A prepared emoji problem with a small backbone, shared by the whole session."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import fields, replace
from pathlib import Path

import miniatures
import numpy as np
import pytest
import relation_miniatures
import table_miniatures
import torch

from mmulbench import defaults
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core import plugins
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.device import use_device
from mmulbench.records.store import ResultsStore
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask, Workspace, prepare
from mmulbench.runs.references import load_original
from mmulbench.runs.run_spec import make_spec
from mmulbench.runs.scenario import Scenario

pytest_plugins = ("sets_of_tests",)

SEED = 42

# What tests expect of a run, here and in what they start, must not hang on what is published today.
os.environ["MMULBENCH_STUDIES"] = str(Path(__file__).parent / "data" / "no_studies")


@pytest.fixture(autouse=True)
def no_plugin_left_behind():
    """What a test's plug-in registers must be in no other test's lists."""
    before = dict(plugins._LOADED)
    yield
    for path in plugins._LOADED.keys() - before.keys():
        plugin = plugins._LOADED.pop(path)
        plugins._discard(plugin.names)
        del sys.modules[plugins._module_name(path)]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    """What is remembered of records must not lie in the cache of who runs the tests."""
    monkeypatch.setattr(defaults, "records_cache", lambda: None)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Models this small are slower on several threads, most of all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_workspace(tmp_path_factory):
    def make() -> Workspace:
        root = tmp_path_factory.mktemp("workspace")
        return Workspace(ArtifactCache(root / "cache"), ResultsStore(root / "r"), root, use_device("cpu"))

    return make


@pytest.fixture(scope="session")
def workspace(make_workspace) -> Workspace:
    return make_workspace()


@pytest.fixture(scope="session")
def emoji(workspace) -> PreparedTask:
    """60 pictures, albef:tiny, one epoch."""
    task = TASKS.get("emoji")(TASKS.get("emoji").Config(**{"limit": 60}))
    recipe = replace(task.recipe, epochs=1, batch_size=16)
    return prepare("emoji", task, find_backbone("albef:tiny", task), recipe, workspace)


@pytest.fixture(scope="session")
def original(emoji):
    return load_original(emoji, SEED).model


@pytest.fixture(scope="session")
def make_problem(emoji, original):
    """An unlearning problem as the pipeline makes it; the forget set by size or by its units."""

    def make(forget: int | np.ndarray = 4, prepared: PreparedTask = emoji):
        units = (
            emoji.task.forget_units(emoji.data, forget, SEED) if isinstance(forget, int) else np.array(forget)
        )
        return Scenario(prepared, ForgetSet(units), SEED).problem(original)

    return make


@pytest.fixture(scope="session")
def quick_method():
    """A registered method with one epoch, small batches and few draws."""

    def make(name: str, **settings):
        cls = METHODS.get(name)
        known = {field.name for field in fields(cls.Config)}
        quick = {"epochs": 1, "batch_size": 16, "samples": 8, "perturbations": 8}
        quick = {key: value for key, value in quick.items() if key in known}
        return cls(replace(cls.Config(), **{**quick, **settings}))

    return make


@pytest.fixture(scope="session")
def record(emoji, workspace):
    """The record of a run without reference, as the pipeline makes it."""

    def make(method, name: str = "method_of_the_test", forget_size: int = 4, where: Workspace = workspace):
        spec = make_spec(emoji, name, method, forget_size, SEED)
        run = Run(spec, method, "test", reference=False)
        return execute(run, replace(emoji, workspace=where), "always").result

    return make


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """Miniatures of the official data sets, and tables of one's own; tests leave them as they are."""
    root = miniatures.write_all(tmp_path_factory.mktemp("miniatures"))
    relation_miniatures.write_all(root)
    return table_miniatures.write_all(root)


@pytest.fixture
def own(kept, tmp_path) -> Path:
    """Miniatures of the official data sets, and tables of one's own, to spoil."""
    return Path(shutil.copytree(kept, tmp_path / "data", symlinks=True))
