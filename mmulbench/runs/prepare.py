"""From names to everything a run needs: task, data, backbone, cached inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.block_layout import Blockwise
from mmulbench.cache.blockwise import TENSORS
from mmulbench.cache.entry import Artifact
from mmulbench.cache.tensor_files import rows_of
from mmulbench.code_digest import code_digest
from mmulbench.core.backbone import Backbone
from mmulbench.core.checkpoints import StoredCheckpoints
from mmulbench.core.data import Features, Inputs, PairData, Relations, Rows, Split
from mmulbench.core.run_code import backbone_digest
from mmulbench.core.task import Task, TaskData
from mmulbench.core.training import Recipe
from mmulbench.defaults import CHECKPOINT_SECONDS
from mmulbench.progress import Progress
from mmulbench.records.environment import packages_of_inputs
from mmulbench.records.schema import RECIPE_VERSION
from mmulbench.records.store import ResultsStore
from mmulbench.runs.given_models import GivenModels


@dataclass(frozen=True)
class Workspace:
    """Holds where a run reads, writes and computes.

    Attributes:
        cache: cache of features, originals, retrains, outputs and measurements.
        store: store of records.
        data_dir: folder of official data.
        device: device that models run on.
        progress: shows bars and notes.
        checkpoint_seconds: least time between two checkpoints of a training.
    """

    cache: ArtifactCache
    store: ResultsStore
    data_dir: Path
    device: torch.device
    progress: Progress = field(default_factory=Progress)
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def checkpoints(self, inputs: Mapping[str, Any]) -> StoredCheckpoints:
        """Return the checkpoints of the piece of work that ``inputs`` describe."""
        return StoredCheckpoints(self.cache, inputs, self.checkpoint_seconds)


@dataclass(frozen=True)
class PreparedTask:
    """Holds a task and a backbone with data in memory, and where to compute with them.

    Attributes:
        task: configured task.
        task_name: registered name of the task.
        data: the task's items and splits.
        backbone: backbone that models are built by.
        recipe: recipe of the original and retrain.
        features: model inputs of all items.
        relations: all true pairs, those of the test split included.
        key: everything that features and models depend on, for cache keys.
        workspace: where runs on the task read, write and compute.
        given: models that are taken from elsewhere instead of being trained.
    """

    task: Task
    task_name: str
    data: TaskData
    backbone: Backbone
    recipe: Recipe
    features: Features
    relations: Relations
    key: dict[str, Any]
    workspace: Workspace
    given: GivenModels = GivenModels()  # noqa: RUF009 (frozen)

    @cached_property
    def known_relations(self) -> Relations:
        """True pairs that training and unlearning may know of: none of the test split."""
        return Relations(self.data.train, self.data.validation)

    def pairs(self, split: Split, sampling: str | None = None) -> PairData:
        """Return a split as a source of batches.

        Args:
            split: the split.
            sampling: what an epoch visits; the recipe's by default.
        """
        return PairData(
            split,
            self.known_relations,
            self.features,
            self.task.modalities,
            sampling or self.recipe.sampling,  # type: ignore[arg-type]
        )


def prepare(
    task_name: str, task: Task, backbone: Backbone, recipe: Recipe, workspace: Workspace
) -> PreparedTask:
    """Load the data and prepare every item's model inputs.

    Args:
        task_name: registered name of the task.
        task: the configured task.
        backbone: backbone that serves it.
        recipe: recipe of the original and retrain.
        workspace: where to read, write and compute.

    Raises:
        UsageError: Data or packages are missing.
        MmulbenchError: Data is damaged, or the cache cannot be written.
    """
    return prepare_inputs(task_name, task, load_data(task, workspace), backbone, recipe, workspace)


def load_data(task: Task, workspace: Workspace) -> TaskData:
    """Load a task's data.

    Args:
        task: the configured task.
        workspace: names the folder of official data, and has the cache of their digests.

    Raises:
        UsageError: Data or packages are missing.
        MmulbenchError: Data is damaged.
    """
    workspace.progress.stage("data")
    with workspace.cache.hints():
        return task.load(workspace.data_dir, workspace.progress)


@dataclass(frozen=True)
class ModalityInputs:
    """Holds one modality's model inputs, as the cache has them.

    Attributes:
        inputs: tensors by name; on disk, mapped into memory.
        folder: folder of the cache entry.
        new: whether they were computed now.
    """

    inputs: Inputs
    folder: Path
    new: bool


def features_key(data: TaskData, backbone: Backbone) -> dict[str, Any]:
    """Return everything that the inputs of all modalities depend on, for cache keys.

    Args:
        data: the task's data.
        backbone: the backbone that prepares inputs.
    """
    return {
        "data": data.fingerprint,
        "backbone": backbone.identity,
        "code": backbone_digest(type(backbone).__module__, backbone.full_name),
        "torch": str(torch.__version__),
        "packages": packages_of_inputs(),
    }


def load_inputs(
    modality: str, data: TaskData, backbone: Backbone, cache: ArtifactCache, progress: Progress
) -> ModalityInputs:
    """Load a modality's model inputs from the cache, or compute them.

    Args:
        modality: name of the modality.
        data: the task's data.
        backbone: the backbone that prepares inputs.
        cache: cache of the inputs.
        progress: shows a bar.

    Raises:
        UsageError: Packages are missing.
        MmulbenchError: The cache cannot be written.
    """
    key = {**features_key(data, backbone), "modality": modality}
    new = False

    def build() -> Artifact | Blockwise:
        nonlocal new
        new = True
        found = backbone.prepare(modality, data.items[modality], progress.track)
        return found if isinstance(found, Blockwise) else Artifact(found, {})

    inputs = cache.get_or_build("features", key, build, progress, together=False).tensors
    return ModalityInputs(inputs, cache.folder("features", key), new)


def prepare_inputs(
    task_name: str,
    task: Task,
    data: TaskData,
    backbone: Backbone,
    recipe: Recipe,
    workspace: Workspace,
    given: GivenModels = GivenModels(),  # noqa: B008 (frozen)
) -> PreparedTask:
    """Prepare every item's model inputs, from the cache where they are known.

    Args:
        task_name: registered name of the task.
        task: the configured task.
        data: its data.
        backbone: backbone that serves it.
        recipe: recipe of the original and retrain.
        workspace: where to read, write and compute.
        given: models that are taken from elsewhere instead of being trained.

    Raises:
        UsageError: Packages are missing.
        MmulbenchError: The cache cannot be written.
    """
    key = features_key(data, backbone)
    arrays: dict[str, Mapping[str, Rows]] = {}
    whole: dict[str, Inputs] = {}
    groups = {}
    for modality in task.modalities:
        loaded = load_inputs(modality, data, backbone, workspace.cache, workspace.progress)
        parts = {name: value for name, value in loaded.inputs.items() if name not in backbone.whole}
        arrays[modality] = rows_of(parts, loaded.folder / TENSORS)
        whole[modality] = {
            name: value.to(workspace.device)
            for name, value in loaded.inputs.items()
            if name in backbone.whole
        }
        found = data.items[modality].groups
        if found is not None:
            groups[modality] = torch.from_numpy(found)
    return PreparedTask(
        task=task,
        task_name=task_name,
        data=data,
        backbone=backbone,
        recipe=recipe,
        features=Features(arrays, workspace.device, groups, whole),
        relations=Relations(data.train, data.validation, data.test),
        key={
            **key,
            "task_code": code_digest(type(task).__module__),
            "recipe": asdict(recipe),
            "recipe_version": RECIPE_VERSION,
            "device": workspace.device.type,
        },
        workspace=workspace,
        given=given,
    )
