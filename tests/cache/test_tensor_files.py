"""Rows of large tensors, read when they are asked for: the same numbers, but the file stays out of memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from forks import FORKS
from toys import CPU, Toy, split_of

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.block_layout import Blockwise
from mmulbench.cache.tensor_files import STAYS_MAPPED, RowsOnDisk, rows_of, save_tensors
from mmulbench.core.backbone import Backbone, RawItems, TaskShape
from mmulbench.core.data import Features
from mmulbench.core.encoding import ItemEncoder
from mmulbench.core.model import EncoderOutput
from mmulbench.core.task import Task, TaskData
from mmulbench.errors import MmulbenchError
from mmulbench.evaluation.measure import EvaluationSets, measure
from mmulbench.progress import Progress
from mmulbench.records.store import ResultsStore
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import Workspace, prepare, prepare_inputs

WAIT_SECONDS = 60


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {"tokens": torch.randn(9, 4, 3).half(), "mask": torch.rand(9, 4) > 0.5, "edges": torch.arange(9)}


@pytest.fixture
def path(tmp_path, tensors) -> Path:
    save_tensors(tensors, tmp_path / "x.safetensors")
    return tmp_path / "x.safetensors"


@pytest.fixture
def on_disk(path, tensors, monkeypatch) -> dict[str, torch.Tensor | RowsOnDisk]:
    """The tensors, all of them too large."""
    monkeypatch.setattr("mmulbench.cache.tensor_files.STAYS_MAPPED", 0)
    return rows_of(tensors, path)


@pytest.mark.parametrize("index", [[4], [8, 0, 8, 3], [[1, 2], [7, 7], [0, 8]], []])
def test_rows_are_those_of_the_tensor(tensors, on_disk, index):
    index = torch.tensor(index, dtype=torch.int64)
    assert on_disk.keys() == tensors.keys()
    for name, value in tensors.items():
        found = on_disk[name][index]
        assert isinstance(on_disk[name], RowsOnDisk) and found.dtype == value.dtype
        assert found.shape == value[index].shape and torch.equal(found, value[index])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float64])
def test_rows_of_other_types(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr("mmulbench.cache.tensor_files.STAYS_MAPPED", 0)
    value = torch.arange(30).reshape(5, 2, 3).to(dtype)
    save_tensors({"x": value}, tmp_path / "x.safetensors")
    found = rows_of({"x": value}, tmp_path / "x.safetensors")["x"][torch.tensor([3, 1])]
    assert found.dtype == dtype and torch.equal(found, value[[3, 1]])


def test_what_is_written_to_rows_is_their_owners_alone(on_disk):
    index = torch.tensor([2, 3])
    on_disk["edges"][index].fill_(7)
    assert on_disk["edges"][index].tolist() == [2, 3]


@pytest.mark.parametrize("row", [-1, 9])
def test_there_are_no_other_rows(on_disk, row):
    with pytest.raises(IndexError, match="of 9"):
        on_disk["tokens"][torch.tensor([0, row])]


def test_small_tensors_stay_as_they_are(path, tensors, monkeypatch):
    monkeypatch.setattr("mmulbench.cache.tensor_files.STAYS_MAPPED", tensors["edges"].nbytes)
    found = rows_of(tensors, path)
    assert isinstance(found["tokens"], RowsOnDisk)
    assert found["mask"] is tensors["mask"] and found["edges"] is tensors["edges"]


def test_only_the_given_tensors_are_there(path, tensors):
    assert rows_of({"mask": tensors["mask"]}, path).keys() == {"mask"}


def test_a_file_that_is_replaced_stays_in_use(path, tensors, on_disk):
    path.unlink()
    path.write_bytes(b"another")
    assert torch.equal(on_disk["tokens"][torch.arange(9)], tensors["tokens"])


def test_a_file_that_is_cut_is_one_line(path, on_disk):
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(MmulbenchError) as error:
        for value in on_disk.values():
            value[torch.tensor([8])]
    assert str(error.value) == f"{path} was cut while it was in use; run the command again"


def test_files_are_closed_with_the_last_use(path, tensors, monkeypatch):
    monkeypatch.setattr("mmulbench.cache.tensor_files.STAYS_MAPPED", 0)
    found = rows_of(tensors, path)

    def open_files() -> int:
        return sum(path.samefile(one) for one in Path("/dev/fd").iterdir() if one.exists())

    assert open_files() == len(tensors)
    del found
    assert open_files() == 0


@pytest.mark.parametrize("groups", [{}, {"image": torch.tensor([[0, 8], [3, 3], [5, 1]])}])
def test_features_are_the_same_bit_for_bit(tensors, on_disk, groups):
    items = torch.tensor([2, 0, 2])
    expected, found = (
        Features({"image": arrays}, CPU, groups).gather("image", items) for arrays in (tensors, on_disk)
    )
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value)


def test_a_model_is_measured_the_same_bit_for_bit(emoji, original, workspace, monkeypatch):
    monkeypatch.setattr("mmulbench.cache.tensor_files.STAYS_MAPPED", 0)
    large = prepare("emoji", emoji.task, emoji.backbone, emoji.recipe, workspace)
    for modality in ("image", "text"):
        assert all(isinstance(one, RowsOnDisk) for one in large.features.arrays[modality].values())
        assert all(isinstance(one, torch.Tensor) for one in emoji.features.arrays[modality].values())

    def measured(features: Features):
        train = emoji.data.train
        splits = {
            "test": emoji.data.test,
            "retain": train.without(train.units[:9]),
            "forget": train.only(train.units[:9]),
        }
        sets = EvaluationSets(
            splits, emoji.data.validation, emoji.relations, features, emoji.task.modalities, rerank=4
        )
        return measure(original, sets, 0, Progress())

    expected, found = measured(emoji.features), measured(large.features)
    assert found.utility == expected.utility
    for kind in ("scores", "losses"):
        for by_path, by_other in zip(
            getattr(found, kind).values(), getattr(expected, kind).values(), strict=True
        ):
            for name, values in by_other.items():
                assert np.array_equal(by_path[name], values)


@pytest.mark.slow
def test_inputs_of_a_whole_graph_are_not_read_by_item(workspace, monkeypatch):
    from mmulbench.core.registry import TASKS

    monkeypatch.setattr("mmulbench.cache.tensor_files.STAYS_MAPPED", 0)
    task = TASKS.get("hpo_pgr")(replace(TASKS.get("hpo_pgr").Config(), subjects=40, phenotypes=60))
    found = prepare("hpo_pgr", task, find_backbone("gtnn:tiny", task), task.recipe, workspace)
    assert all(isinstance(one, RowsOnDisk) for one in found.features.arrays["graph"].values())
    assert all(isinstance(one, torch.Tensor) for one in found.features.whole["graph"].values())
    assert found.features.whole["graph"].keys() <= found.backbone.whole


# A large file, encoded in a process of its own: the target must be importable.

COUNT, ITEM = 51_200, 2**12
FILE_BYTES, BOUND = COUNT * ITEM, 60 * 10**6
"""An entry of 210 MB; a block of 512 items takes 2 MB."""


@dataclass(frozen=True)
class _Config:
    """No settings."""


class Large(Backbone):
    """Images of 4 KiB, whose first two bytes tell which it is."""

    name, modalities, serves = "large", ("image", "text"), ("retrieval",)
    variants = {"only": _Config()}  # noqa: RUF012

    def prepare(self, modality, items, track):
        if modality == "text":
            return {"x": torch.zeros(COUNT, 2)}

        def compute(rows: range) -> torch.Tensor:
            block = torch.ones(len(rows), ITEM, dtype=torch.uint8)
            numbers = torch.arange(rows.start, rows.stop)
            block[:, 0], block[:, 1] = numbers % 256, numbers // 256
            return block

        return Blockwise("x", COUNT, (ITEM,), torch.uint8, compute, 256, 2, "images")

    def build(self, shape: TaskShape = TaskShape()) -> Toy:  # noqa: B008 (frozen)
        return FirstTwo()


class FirstTwo(Toy):
    """An item is its first two numbers."""

    def encode(self, modality, inputs):
        found = inputs["x"][:, :2].float()
        return EncoderOutput(found[:, None], torch.ones(len(found), 1, dtype=torch.bool), found)


class LargeTask(Task):
    """As many pairs as there are images."""

    modalities, default_backbone = ("image", "text"), "large"

    def load(self, data_dir, progress):
        items = {name: RawItems(texts=[""]) for name in self.modalities}
        few = split_of((0, 0), (1, 1))
        return TaskData(items, few, few, few, "none")


def encode_the_file(root: Path) -> None:
    """Encode all images; write how the process's memory grew meanwhile at its peak."""

    def memory(field: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))

    torch.set_num_threads(1)
    task, backbone = LargeTask(), Large("only")
    workspace = Workspace(ArtifactCache(root / "cache"), ResultsStore(root / "results"), root, CPU)
    data = task.load(root, Progress())
    features = prepare_inputs("large", task, data, backbone, task.recipe, workspace).features
    encoder = ItemEncoder(backbone.build(), features)
    before = memory("VmRSS")
    pooled = encoder.pooled("image", torch.arange(COUNT))
    peak = memory("VmHWM")
    numbers = torch.arange(COUNT)
    assert torch.equal(pooled, torch.stack([numbers % 256, numbers // 256], 1).float())
    (root / "growth").write_text(str(peak - before))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peak memory")
def test_memory_does_not_grow_with_the_file_that_is_encoded(tmp_path):
    child = FORKS.Process(target=encode_the_file, args=(tmp_path,))
    child.start()
    child.join(WAIT_SECONDS)
    assert child.exitcode == 0
    assert FILE_BYTES > STAYS_MAPPED
    assert int((tmp_path / "growth").read_text()) < BOUND
