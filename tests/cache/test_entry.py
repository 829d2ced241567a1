"""One entry is read only as a whole, as what it was written as, and under its own name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.block_layout import Blockwise
from mmulbench.cache.entry import (
    RECORD,
    Absent,
    Artifact,
    Damaged,
    PartlyDamaged,
    identity_of,
    is_intact,
    load_entry,
)

INPUTS: dict[str, Any] = {"seed": 3, "recipe": {"lr": 0.1}}
IDENTITY = identity_of("features", INPUTS)


@pytest.fixture
def folder(tmp_path) -> Path:
    """An entry of one tensor."""
    cache = ArtifactCache(tmp_path, pytest.fail)
    cache.put("features", INPUTS, Artifact({"a": torch.arange(8.0)}, {"seconds": 0.5}))
    return cache.folder("features", INPUTS)


def why(folder: Path, identity: dict[str, Any] = IDENTITY) -> str:
    """Why an entry is not taken."""
    assert not is_intact(folder, identity)
    with pytest.raises(Damaged) as caught:
        load_entry(folder, identity)
    return str(caught.value)


def test_it_is_read_as_it_was_written(folder):
    found = load_entry(folder, IDENTITY)
    assert found.tensors["a"].tolist() == list(range(8)) and found.info == {"seconds": 0.5}
    assert is_intact(folder, IDENTITY)


def test_none_is_absent_and_not_damaged(tmp_path):
    with pytest.raises(Absent, match="it is missing") as caught:
        load_entry(tmp_path / "none", IDENTITY)
    assert not isinstance(caught.value, Damaged)
    assert not is_intact(tmp_path / "none", IDENTITY)


@pytest.mark.parametrize("name", [RECORD, "tensors.safetensors"])
def test_both_files_belong_to_it(folder, name):
    (folder / name).unlink()
    assert why(folder) == f"{name} is missing"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-1], "has 95 bytes instead of 96"),
        (lambda content: content[:-1] + b"\x01", "the checksum of tensors.safetensors is wrong"),
    ],
)
def test_tensors_are_those_that_were_written(folder, change, reason):
    path = folder / "tensors.safetensors"
    path.write_bytes(change(path.read_bytes()))
    assert reason in why(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("0.5", "0.6"), "artifact.json was altered"),
        (lambda text: text[:-4], "artifact.json is not valid JSON"),
        (lambda text: "[]", "artifact.json was altered"),
    ],
)
def test_what_it_says_of_itself_is_what_was_written(folder, change, reason):
    path = folder / RECORD
    path.write_text(change(path.read_text()))
    assert why(folder) == reason


@pytest.mark.parametrize(
    "other", [identity_of("features", {**INPUTS, "seed": 4}), identity_of("original", INPUTS)]
)
def test_it_is_not_taken_for_another(folder, other):
    assert why(folder, other) == "artifact.json describes other inputs"


def test_of_blocks_those_that_are_damaged_are_named(tmp_path):
    cache = ArtifactCache(tmp_path, pytest.fail)
    source = Blockwise("a", 4, (2,), torch.float32, lambda rows: torch.ones(len(rows), 2), 1, 1, "")
    cache.get_or_build("features", INPUTS, lambda: source)
    folder = cache.folder("features", INPUTS)
    assert load_entry(folder, IDENTITY).tensors["a"].tolist() == [[1.0, 1.0]] * 4
    content = bytearray((folder / "tensors.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "tensors.safetensors").write_bytes(content)
    with pytest.raises(PartlyDamaged) as caught:
        load_entry(folder, IDENTITY)
    assert str(caught.value).endswith("is damaged: rebuilding it")
    assert len(caught.value.checksums) == 4
