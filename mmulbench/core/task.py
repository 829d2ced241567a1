"""The contract of a task: its data, what is forgotten, and how the original is trained."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mmulbench.core.data import Integers, Split
from mmulbench.core.data_info import DataInfo, DataReport
from mmulbench.core.model import RawItems, TaskShape
from mmulbench.core.search_space import NoSettings
from mmulbench.core.training import Recipe
from mmulbench.errors import UsageError
from mmulbench.hashing import fingerprint
from mmulbench.progress import Progress
from mmulbench.seeds import generator

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class TaskData:
    """A task's items and splits (the paper's D, D_val and D_test).

    Attributes:
        items: by modality, the raw items that the splits index; the first modality is the forget unit's.
        train: true pairs for training; Df and Dr are taken from it.
        validation: true pairs for every choice that is made.
        test: true pairs for the final measure alone.
        fingerprint: SHA-256 of items and splits; records and caches carry it.
    """

    items: Mapping[str, RawItems]
    train: Split
    validation: Split
    test: Split
    fingerprint: str


def data_fingerprint(arrays: Sequence[NDArray[Any]], texts: Sequence[str]) -> str:
    """SHA-256 of arrays and texts, in this order: what `TaskData.fingerprint` may be."""
    digests = [hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in arrays]
    return fingerprint([*digests, *texts])


class Task(ABC):
    """Describes one task: its data, the forget sets, and how the original is trained.

    Register it in a file of its own name in ``tasks/``: ``@TASKS.register("my_task")``. Its settings are
    written as those of a method are, see `mmulbench.core.method.Method`.

    Attributes:
        config: settings of this task, an instance of ``Config``.
    """

    Config: ClassVar[type[DataclassInstance]] = NoSettings
    """Settings of the task, part of every record: a frozen dataclass whose fields all have defaults."""

    config: DataclassInstance

    classes: ClassVar[tuple[str, ...]] = ()
    """Names of the classes that pairs fall into; none for retrieval."""

    group: ClassVar[int] = 1
    """How many images or nodes make one item of the first modality; two for NLVR2's image pairs."""

    utility: ClassVar[str] = ""
    """The measure that stands for utility in headlines; the mean recall, or the accuracy, where empty."""

    modalities: ClassVar[tuple[str, str]]
    """Two names; the forget unit is an item of the first with all its pairs."""

    default_backbone: ClassVar[str]
    recipe: ClassVar[Recipe] = Recipe()
    forget_fraction: ClassVar[float] = 0.05
    """Default forget size as a fraction of the training units."""

    forget_count: ClassVar[int | None] = None
    """Default forget size in units instead, where there are at least twice as many training units."""

    info: ClassVar[DataInfo | None] = None
    """What the data is and what to put where, for ``mmulbench data``."""

    rerank: ClassVar[int] = 16
    """Retrieval candidates that the fusion module re-ranks (ALBEF on Flickr30K: 128)."""

    gallery: ClassVar[int] = 0
    """Retrieval is measured in galleries of at most this many units; 0: the whole set is one gallery.

    Recall depends on how much is searched. Papers search test sets: Flickr30K's 1,000 images, COCO's 5,000 or
    folds of 1,000 (Karpathy and Fei-Fei, arXiv 1412.2306). A retain set measured in folds of such a size can
    be compared with them, in bounded time and memory."""

    tuned_like: ClassVar[tuple[str, str] | None] = None
    """Task and backbone whose tuned settings methods start from, where none are tuned on this task."""

    def __init__(self, config: DataclassInstance | None = None) -> None:
        self.config = config if config is not None else self.Config()

    @abstractmethod
    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read the data.

        Raises:
            UsageError: where data or a package is missing: what, where it is looked for, how to get it.
            MmulbenchError: where data is damaged: file and line.
        """

    def check(self, data_dir: Path, progress: Progress) -> DataReport:
        """What is there of the data, for ``mmulbench data check``.

        A task that reads files lists here all that are missing or damaged.

        Raises:
            UsageError: where data or a package is missing altogether.
            MmulbenchError: where data cannot be read at all.
        """
        data = self.load(data_dir, progress)
        splits = {"train": data.train, "validation": data.validation, "test": data.test}
        return DataReport({name: (len(split.units), len(split)) for name, split in splits.items()})

    def study_places(self, name: str, backbone: str) -> list[tuple[str, str]]:
        """List where tuned settings for a run on this task are looked for, the nearest place first.

        Args:
            name: registered name of this task.
            backbone: full name of the run's backbone, such as ``albef:packaged``.

        Returns:
            Names of a task and of a backbone on it: this task with the run's backbone, this task with its
            default backbone, and what ``tuned_like`` names.
        """
        nearest = [(name, backbone), (name, self.default_backbone)]
        return nearest if self.tuned_like is None else [*nearest, self.tuned_like]

    @property
    def shape(self) -> TaskShape:
        """What the task asks of a model."""
        return TaskShape(len(self.classes), self.group)

    def forget_units(self, data: TaskData, size: int, seed: int) -> Integers:
        """The forget set's units: the first ``size`` of one order a seed, so that sizes are nested.

        Raises:
            UsageError: unless 0 < size < number of training units.
        """
        units = data.train.units
        if not 0 < size < len(units):
            raise UsageError(
                f"forget size {size} is out of range: 1 to {len(units) - 1} units, "
                "or a fraction between 0 and 1 such as 0.05"
            )
        return self.forget_order(data, seed)[:size]

    def forget_order(self, data: TaskData, seed: int) -> Integers:
        """All training units in the order in which a seed's growing forget sets take them: a random one."""
        return generator(seed, "forget").permutation(data.train.units)

    def forget_size(self, data: TaskData, requested: float | int | None) -> int:
        """Number of units from a number, a fraction in (0, 1), or None for the task's default.

        Raises:
            UsageError: when it is out of range.
        """
        total = len(data.train.units)
        wanted = requested if requested is not None else self.forget_fraction
        if requested is None and self.forget_count is not None and total >= 2 * self.forget_count:
            wanted = self.forget_count
        if isinstance(wanted, float):
            if not 0.0 < wanted < 1.0:
                raise UsageError(
                    f"forget size {wanted} is out of range: a fraction lies between 0 and 1 (both excluded), "
                    f"a number of units between 1 and {total - 1}"
                )
            return min(max(round(wanted * total), 1), total - 1)
        self.forget_units(data, wanted, seed=0)
        return wanted
