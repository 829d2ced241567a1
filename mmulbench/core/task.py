"""State the contract of a task: its data, what is forgotten, and how the original is trained."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Integers, Split
from mmulbench.core.data_info import DataInfo, DataReport
from mmulbench.core.item_names import ListColumns, columns_of, names_of
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
    """Holds a task's items and splits (the paper's D, D_val and D_test).

    Attributes:
        items: raw items that the splits index, by modality; the first modality is the forget unit's.
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
    """Return the SHA-256 of arrays and texts in this order, which may serve as `TaskData.fingerprint`.

    Args:
        arrays: arrays of any shape.
        texts: texts that follow them.
    """
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
    """Names of the classes that pairs fall into; empty for retrieval."""

    group: ClassVar[int] = 1
    """Number of images or nodes that make one item of the first modality; two for NLVR2's image pairs."""

    utility: ClassVar[str] = ""
    """Name of the measure that stands for utility in headlines; empty: the mean recall, or the accuracy."""

    modalities: ClassVar[tuple[str, str]]
    """Names of the two modalities; the forget unit is an item of the first with all its pairs."""

    default_backbone: ClassVar[str]
    recipe: ClassVar[Recipe] = Recipe()
    forget_fraction: ClassVar[float] = 0.05
    """Default forget size as a fraction of the training units."""

    forget_count: ClassVar[int | None] = None
    """Default forget size in units instead, where there are at least twice as many training units."""

    info: ClassVar[DataInfo | None] = None
    """Description of the data and of the files it needs, for ``mmulbench data``."""

    rerank: ClassVar[int] = 16
    """Number of retrieval candidates that the fusion module re-ranks (ALBEF on Flickr30K: 128)."""

    gallery: ClassVar[int] = 0
    """Largest number of units in a gallery that retrieval is measured in; 0: the whole set is one gallery.

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

        Args:
            data_dir: folder of all data sets.
            progress: shows bars.

        Raises:
            UsageError: Data or a package is missing; the message says what, where it is looked for, and how
                to get it.
            MmulbenchError: Data is damaged; the message names file and line.
        """

    def check(self, data_dir: Path, progress: Progress) -> DataReport:
        """Report what there is of the data, for ``mmulbench data check``.

        A task that reads files lists here all that are missing or damaged.

        Args:
            data_dir: folder of all data sets.
            progress: shows bars.

        Raises:
            UsageError: Data or a package is missing altogether.
            MmulbenchError: Data cannot be read at all.
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
        """Shape of the models that the task needs."""
        return TaskShape(len(self.classes), self.group)

    def item_names(self, data: TaskData, modality: str) -> Sequence[str]:
        """Return what the items of a modality are called in a user's list of what to forget.

        By default texts and nodes are called what they say, images by the names of their files, and others by
        their numbers. Two items may have one name: a list that names it means both.

        Args:
            data: the task's data.
            modality: one of ``modalities``.
        """
        return names_of(data.items[modality])

    def other_names(self, data: TaskData) -> Mapping[str, Sequence[int]]:
        """Return further names that a list of what to forget may have for items of the first modality.

        A task that makes one item of what has several names gives those that `item_names` has no place for.
        By default there are none.

        Args:
            data: the task's data.

        Returns:
            By name, the numbers of the items that bear it beside their own.
        """
        return {}

    def list_columns(self, data: TaskData) -> ListColumns:
        """Return what the columns of a list of what to forget may be called, as the modalities by default.

        Args:
            data: the task's data.
        """
        first, second = self.modalities
        return ListColumns((first,), (second,))

    def pair_columns(self, data: TaskData) -> Mapping[str, Sequence[str]]:
        """Return what training pairs can be chosen by, as with ``--forget-where``: one value for each pair.

        By default that is the text of the pair, named as the second modality is, and the name of its class,
        named ``label``.

        Args:
            data: the task's data.

        Returns:
            By column, as many texts as ``data.train`` has pairs, in its order.
        """
        return columns_of(self, data)

    def forget_units(self, data: TaskData, size: int, seed: int) -> Integers:
        """Return the forget set's units.

        They are the first ``size`` units of a random order that depends on the seed, so that smaller forget
        sets are contained in larger ones.

        Args:
            data: the task's data.
            size: number of units to forget.
            seed: seed of the random order.

        Returns:
            (size,) items of the first modality; more where a unit is several items.

        Raises:
            UsageError: The size is not between 1 and the number of training units minus 1.
        """
        total = self.unit_count(data)
        if not 0 < size < total:
            raise UsageError(
                f"forget size {size} is out of range: 1 to {total - 1} units, "
                "or a fraction between 0 and 1 such as 0.05"
            )
        return self.first_units(data, self.forget_order(data, seed), size)

    def forget_order(self, data: TaskData, seed: int) -> Integers:
        """Return all training units in the order in which growing forget sets take them: a random order.

        Args:
            data: the task's data.
            seed: seed of the random order.

        Returns:
            (u,) items of the first modality.
        """
        rng, numbers = generator(seed, "forget"), self.unit_numbers(data)
        if numbers is None:
            return rng.permutation(data.train.units)
        different, place = np.unique(numbers, return_inverse=True)
        rank = np.argsort(rng.permutation(len(different)))
        return data.train.units[np.argsort(rank[place.reshape(-1)], kind="stable")]

    def unit_numbers(self, data: TaskData) -> Integers | None:
        """Return which forget unit each training item is of, where units are not single items.

        Items of one unit are forgotten together, and forget sizes count units. None, the default, says that
        each item of the first modality is a unit.

        Args:
            data: the task's data.

        Returns:
            (u,) number of the unit of each of ``data.train.units``, or None.
        """
        return None

    def unit_count(self, data: TaskData) -> int:
        """Return the number of training units, which forget sizes are a part of.

        Args:
            data: the task's data.
        """
        return self.units_among(data, data.train.units)

    def units_among(self, data: TaskData, items: Integers) -> int:
        """Return the number of units that training items are of.

        Args:
            data: the task's data.
            items: (n,) training items.
        """
        return len(self._first_places(data, items))

    def whole_units(self, data: TaskData, items: Integers) -> Integers:
        """Return all training items of the units that some are of.

        Args:
            data: the task's data.
            items: (n,) training items, ascending.

        Returns:
            (m,) these items and the others of their units, ascending.
        """
        numbers, units = self.unit_numbers(data), data.train.units
        return items if numbers is None else units[np.isin(numbers, numbers[np.searchsorted(units, items)])]

    def first_units(self, data: TaskData, order: Integers, size: int) -> Integers:
        """Return all items of the first units of an order.

        Args:
            data: the task's data.
            order: (n,) training items, those of a unit together.
            size: number of units.

        Returns:
            (m,) the first of these items: those of ``size`` units, or of all where there are fewer.
        """
        first = np.sort(self._first_places(data, order))
        return order[: first[size]] if size < len(first) else order

    def _first_places(self, data: TaskData, items: Integers) -> Integers:
        """Return the first place of each unit among training items."""
        numbers = self.unit_numbers(data)
        found = items if numbers is None else numbers[np.searchsorted(data.train.units, items)]
        return np.unique(found, return_index=True)[1]

    def forget_size(self, data: TaskData, requested: float | int | None) -> int:
        """Return the number of units to forget.

        Args:
            data: the task's data.
            requested: number of units, or fraction of them between 0 and 1; None: the task's default.

        Raises:
            UsageError: The request is out of range.
        """
        total = self.unit_count(data)
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
