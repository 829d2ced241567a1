"""Problems of the tiny tasks, made as the pipeline makes them."""

from __future__ import annotations

import copy
import functools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.conformance.tiny_tasks import TINY_TASKS, TinyTaskKind
from mmulbench.core.checkpoints import StoredCheckpoints
from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Features, Rows
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.method import UnlearningProblem
from mmulbench.device import use_device
from mmulbench.records.store import ResultsStore
from mmulbench.runs.prepare import PreparedTask, Workspace, prepare
from mmulbench.runs.references import load_original
from mmulbench.runs.scenario import Scenario

T = TypeVar("T")

SEED = 42

FORGET, ONE, MOST = 4, 1, 13
"""Sizes of the forget set, of 16 training units: usual, smallest, and with Df larger than Dr."""


class TinyProblems:
    """Makes problems of a tiny task, all after one trained original.

    Args:
        kind: kind of task.

    Raises:
        UsageError: where a package that its backbone needs is missing.
    """

    def __init__(self, kind: TinyTaskKind) -> None:
        self.kind = kind
        self._folder = tempfile.TemporaryDirectory(prefix="mmulbench-")
        root = Path(self._folder.name)
        cache, store = ArtifactCache(root / "cache"), ResultsStore(root / "results")
        self._workspace = Workspace(cache, store, root, use_device("cpu"))
        task = kind.task()
        self.prepared = prepare(kind.name, task, kind.backbone(), task.recipe, self._workspace)
        self.original = load_original(self.prepared, SEED).model

    def problem(self, size: int = FORGET, prepared: PreparedTask | None = None) -> UnlearningProblem:
        """Return a fresh problem; what a method does to its original spoils no other.

        Args:
            size: number of units to forget.
            prepared: the task in another state than as it was made.
        """
        units = self.prepared.task.forget_units(self.prepared.data, size, SEED)
        scenario = Scenario(prepared or self.prepared, ForgetSet(units), SEED)
        problem = scenario.problem(copy.deepcopy(self.original))
        return replace(problem, meter=_SampleMeter(problem.device))

    def checkpoints(self, name: str) -> StoredCheckpoints:
        """Return checkpoints at every step, of a piece of work called ``name``."""
        return StoredCheckpoints(self._workspace.cache, {"contract": name}, every=0.0)

    def without_test_data(self) -> PreparedTask:
        """Return the task in a state where every item that only the test split has looks like item 0."""
        prepared, data = self.prepared, self.prepared.data
        arrays: dict[str, Mapping[str, Rows]] = dict(prepared.features.arrays)
        groups = dict(prepared.features.groups)
        for modality, column in zip(prepared.task.modalities, ("first", "second"), strict=True):
            known = [getattr(split, column) for split in (data.train, data.validation)]
            hidden = torch.from_numpy(np.setdiff1d(getattr(data.test, column), np.concatenate(known)))
            index = torch.arange(len(data.items[modality]))
            index[hidden] = 0
            if modality in groups:
                groups[modality] = groups[modality][index]
            else:
                arrays[modality] = {name: array[index] for name, array in arrays[modality].items()}
        features = Features(arrays, prepared.features.device, groups, prepared.features.whole)
        return replace(prepared, features=features)


class _SampleMeter(CostMeter):
    """Counts samples and steps alone: counting operations takes longer than training models this small."""

    def _count(self, work: Callable[[], T]) -> tuple[T, float]:
        return work(), 0.0


@functools.cache
def tiny_problems(name: str) -> TinyProblems:
    """Return the problems of a kind of task, whose original is trained once.

    Args:
        name: name of the kind: retrieval, classification, two images, or relations.

    Raises:
        UsageError: a package that its backbone needs is missing.
        KeyError: the kind is unknown.
    """
    return TinyProblems({kind.name: kind for kind in TINY_TASKS}[name])


def tiny_problem(name: str, size: int = FORGET) -> UnlearningProblem:
    """Return a fresh problem of a kind of task, to try a method's loss on.

    Args:
        name: name of the kind: retrieval, classification, two images, or relations.
        size: number of units to forget, of 16.

    Raises:
        UsageError: a package that its backbone needs is missing.
        KeyError: the kind is unknown.
    """
    return tiny_problems(name).problem(size)
