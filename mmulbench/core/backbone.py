"""State the contract of backbones: turn raw items into inputs, and build models for a kind of task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.data import Inputs, Integers
from mmulbench.core.model import MultimodalModel
from mmulbench.errors import UsageError, did_you_mean
from mmulbench.progress import Track

TaskKind = Literal["retrieval", "classification", "group classification"]
"""Kinds of task: to rank, to classify a pair, or to classify several images (or nodes) with a text."""


@dataclass(frozen=True)
class TaskShape:
    """Describes what a task asks of a model.

    Attributes:
        classes: number of classes that pairs fall into; 0 for retrieval.
        group: number of images or nodes that make one item of the first modality.
    """

    classes: int = 0
    group: int = 1

    @property
    def kind(self) -> TaskKind:
        """Kind of task that a backbone must serve."""
        if not self.classes:
            return "retrieval"
        return "classification" if self.group == 1 else "group classification"


@dataclass(frozen=True)
class RawItems:
    """Holds a task's items before any model sees them.

    Attributes:
        images: m images (h, w, 3), uint8 RGB, as an array or as a sequence of sizes that differ; or None.
        texts: m strings, or None; the names of a graph's nodes.
        groups: (n, k) the k of the m images, texts or nodes that make up each item; None where each is an
            item itself.
        edges: (2, e) sources and targets of the edges between a graph's m nodes; None without a graph.
    """

    images: Any = None
    texts: Sequence[str] | None = None
    groups: Integers | None = None
    edges: Integers | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        for parts in (self.groups, self.images, self.texts):
            if parts is not None:
                return len(parts)
        return 0


@runtime_checkable
class SaysItsData(Protocol):
    """Describes initial weights that may say which data they were trained on."""

    @property
    def trained_on(self) -> frozenset[str]:
        """Fingerprints of the data, or names of its files without folders; empty where nothing is said."""


class Backbone(ABC):
    """Describes a family of models: it turns raw items into inputs once, and builds initialised models.

    Subclasses are registered under the family's name. ``family:variant`` picks one of ``variants``; where the
    family reads checkpoints, ``family:path`` and ``family:owner/name`` pick one on disk or on a hub.
    """

    name: ClassVar[str]
    modalities: ClassVar[tuple[str, str]]
    serves: ClassVar[tuple[TaskKind, ...]]
    """Kinds of task that it can be built for."""

    variants: ClassVar[Mapping[str, Any]]
    """Configuration dataclass by variant name; the first is the default."""

    whole: ClassVar[frozenset[str]] = frozenset()
    """Names of the prepared inputs that belong to all items together, such as a graph's edges. Each encoder
    call gets them as they are."""

    checkpoint: object | None = None
    """What the initial weights were read from; None where they are random. Weights that were trained before
    may have seen the forget set, so that every run looks for that; they may also say it (`SaysItsData`)."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.config = self.variants[variant]

    @classmethod
    def from_checkpoint(cls, source: str) -> Self:
        """Return the backbone whose initial weights are a checkpoint.

        Args:
            source: a path, or ``owner/name`` on a hub.

        Raises:
            UsageError: It is not there, or the family reads no checkpoints.
            MmulbenchError: It is damaged or of another kind.
        """
        raise UsageError(f"the backbone {cls.name} reads no checkpoints{did_you_mean(source, cls.variants)}")

    @property
    def full_name(self) -> str:
        """Name as stored in records: ``family:variant``, with the digest of a checkpoint."""
        return f"{self.name}:{self.variant}"

    @property
    def argument(self) -> str:
        """Value of ``--backbone`` that gives this backbone again."""
        return self.full_name

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the initial model and the prepared inputs, for cache keys."""
        return {"name": self.full_name, **asdict(self.config)}

    @abstractmethod
    def prepare(self, modality: str, items: RawItems, track: Track) -> Inputs | Blockwise:
        """Do what never trains in the input pipeline: decode, resize, tokenise, run frozen encoders.

        Args:
            modality: one of ``modalities``.
            items: m images, texts or nodes; ``groups`` are put together later.
            track: ``track(iterable, total, description)`` shows progress.

        Returns:
            Tensors whose first dimension is m, and those named in ``whole``, of any shape; or one large input
            that is computed block by block.

        Raises:
            UsageError: A package is missing; the message has the command that installs it.
        """

    @abstractmethod
    def build(self, shape: TaskShape = TaskShape()) -> MultimodalModel:
        """Return a model with its initial weights; random draws come from torch's global generator.

        Args:
            shape: what the task asks of the model.
        """
