"""The contract between models and everything else: encode each modality, fuse, judge the association."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.data import Batch, Inputs, Integers, Targets
from mmulbench.errors import UsageError, did_you_mean

Group = Literal["all", "fusion", "unimodal"]

CONTRASTIVE = "contrastive"
"""Association path that compares the outputs of both encoders."""

MATCHING = "matching"
"""Association path that judges whether the fused pair belongs together."""

CLASSIFICATION = "classification"
"""Association path that judges which class the fused pair has."""


@dataclass(frozen=True)
class EncoderOutput:
    """One encoder's output for b items.

    Attributes:
        tokens: (b, l, d) token representations, what fusion reads.
        mask: (b, l) bool, True where a token is real.
        pooled: (b, d) the unimodal representation.
    """

    tokens: Tensor
    mask: Tensor
    pooled: Tensor

    def __len__(self) -> int:
        return len(self.pooled)

    def __getitem__(self, index: Tensor | slice) -> EncoderOutput:
        return EncoderOutput(self.tokens[index], self.mask[index], self.pooled[index])

    def to(self, device: torch.device) -> EncoderOutput:
        """The same output on another device."""
        return EncoderOutput(self.tokens.to(device), self.mask.to(device), self.pooled.to(device))


@dataclass(frozen=True)
class ModelOutput:
    """What one forward pass over a batch of b true pairs gives.

    Attributes:
        loss: scalar, the task's own training loss.
        logits: by association path, (b, c); softmax over c is the model's belief on that path.
        unimodal: by modality, (b, d) unimodal representations.
        fused: (b, d) fused representations of the true pairs.
    """

    loss: Tensor
    logits: dict[str, Tensor]
    unimodal: dict[str, Tensor]
    fused: Tensor


class MultimodalModel(nn.Module, ABC):
    """Two encoders and a fusion module.

    Splitting ``encode`` from ``fuse`` is what makes re-pairing and caching cheap: an encoder never has to run
    twice on the same input, and a method never has to know the architecture.
    """

    modalities: tuple[str, str]
    paths: tuple[str, ...]
    """Names of the association paths, such as contrastive and matching: every way the model can tell that a
    pair belongs together, hence every way membership can leak."""

    if TYPE_CHECKING:  # torch types every call of a module as Any

        def __call__(self, batch: Batch) -> ModelOutput:
            """Run `forward`."""

    @abstractmethod
    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Unimodal output for b items of ``modality``."""

    @abstractmethod
    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """(n, d) fused representation of n aligned pairs."""

    @abstractmethod
    def head(self, fused: Tensor) -> Tensor:
        """(n, c) logits of fused representations."""

    @abstractmethod
    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """By path, (n,) how strongly the model believes that aligned pairs belong together.

        For classification: the log-odds of each pair's own class, (n,) ``labels``.
        """

    @abstractmethod
    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """The training pass from the encoder outputs of b pairs."""

    @abstractmethod
    def logits(self, a: EncoderOutput, b: EncoderOutput, fused: Tensor) -> dict[str, Tensor]:
        """By path, (b, c) logits of aligned pairs whose fused representation is already known."""

    @abstractmethod
    def fusion_parameters(self) -> list[nn.Parameter]:
        """Parameters behind the encoders that make or read the fused representation."""

    def forward(self, batch: Batch) -> ModelOutput:
        """Encode both sides of a batch and run the training pass."""
        first, second = self.encode_batch(batch)
        return self.forward_encoded(first, second, batch.targets)

    def encode_batch(self, batch: Batch) -> tuple[EncoderOutput, EncoderOutput]:
        """Encoder outputs of both sides of a batch."""
        first, second = self.modalities
        return self.encode(first, batch.inputs(first)), self.encode(second, batch.inputs(second))

    def parameter_group(self, group: Group) -> list[nn.Parameter]:
        """Parameters of a group, in definition order.

        Args:
            group: ``all``; ``fusion``: fusion module and its head; ``unimodal``: everything else.

        Raises:
            ValueError: for another name.
        """
        if group == "all":
            return list(self.parameters())
        fusion = self.fusion_parameters()
        if group == "fusion":
            return fusion
        if group == "unimodal":
            known = {id(p) for p in fusion}
            return [p for p in self.parameters() if id(p) not in known]
        raise ValueError(f"unknown parameter group {group!r}; known: all, fusion, unimodal")


@dataclass(frozen=True)
class RawItems:
    """A task's items before any model sees them.

    Attributes:
        images: (m, h, w, 3) uint8 RGB, or None.
        texts: m strings, or None; of a graph, its nodes' names.
        groups: (n, k) which k of the m images, texts or nodes make up each item; None where each is an item
            itself.
        edges: (2, e) sources and targets of the edges between a graph's m nodes; None without a graph.
    """

    images: Any = None
    texts: Sequence[str] | None = None
    groups: Integers | None = None
    edges: Integers | None = None

    def __len__(self) -> int:
        """How many items there are."""
        for parts in (self.groups, self.images, self.texts):
            if parts is not None:
                return len(parts)
        return 0


class RetrievalModel(MultimodalModel):
    """A model that can rank: it compares pooled outputs, its head judges whether pairs match, or both.

    ``paths`` says which. A model without the contrastive path ranks by matching every query with the whole
    gallery; one without the matching path is not re-ranked.
    """

    paths: tuple[str, ...] = (CONTRASTIVE, MATCHING)

    largest_gallery: ClassVar[int] = 0
    """Units of the galleries that retrieval is measured in, at most, whatever the task's; 0: no limit."""

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, m) scaled similarity of pooled representations (n, d) and (m, d)."""
        raise NotImplementedError(f"{type(self).__name__} has no contrastive path")

    def logits(self, a: EncoderOutput, b: EncoderOutput, fused: Tensor) -> dict[str, Tensor]:
        """Similarities within the batch, and the head's logits (unrelated, belongs together)."""
        found = {}
        if CONTRASTIVE in self.paths:
            found[CONTRASTIVE] = self.similarity(a.pooled, b.pooled)
        if MATCHING in self.paths:
            found[MATCHING] = self.head(fused)
        return found


class ClassificationModel(MultimodalModel):
    """A model whose head says which class a fused pair falls into; trained by cross-entropy."""

    paths = (CLASSIFICATION,)

    def logits(self, a: EncoderOutput, b: EncoderOutput, fused: Tensor) -> dict[str, Tensor]:
        """The head's logits."""
        return {CLASSIFICATION: self.head(fused)}

    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Log-odds of each pair's own class against all others."""
        if labels is None:
            raise ValueError(
                "the association of a classified pair is that with its own class: labels are needed"
            )
        return {CLASSIFICATION: own_class_log_odds(self.head(self.fuse(a, b)), labels)}

    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """Cross-entropy of the pairs' classes."""
        if targets.labels is None:
            raise ValueError("classification needs labelled pairs")
        fused = self.fuse(a, b)
        logits = self.head(fused)
        return ModelOutput(
            loss=nn.functional.cross_entropy(logits, targets.labels),
            logits={CLASSIFICATION: logits},
            unimodal=dict(zip(self.modalities, (a.pooled, b.pooled), strict=True)),
            fused=fused,
        )


def own_class_log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) log p(y) - log(1 - p(y)) of each row's own class; softplus of its negative is the cross-entropy.

    Args:
        logits: (n, c).
        labels: (n,) class indices.
    """
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf")).logsumexp(1)
    return own[:, 0] - others


TaskKind = Literal["retrieval", "classification", "group classification"]
"""Of a task: ranking; a class for a pair; a class for several images (or nodes) with a text."""


@dataclass(frozen=True)
class TaskShape:
    """What a task asks of a model.

    Attributes:
        classes: how many classes pairs fall into; 0 for retrieval.
        group: how many images or nodes make one item of the first modality.
    """

    classes: int = 0
    group: int = 1

    @property
    def kind(self) -> TaskKind:
        """What a backbone must serve."""
        if not self.classes:
            return "retrieval"
        return "classification" if self.group == 1 else "group classification"


class Backbone(ABC):
    """A family of models: turns raw items into inputs once, and builds initialised models.

    Subclasses are registered under the family's name; ``family:variant`` picks one of ``variants``, and
    ``family:path`` or ``family:owner/name`` a checkpoint on disk or a hub where the family reads them.
    """

    name: ClassVar[str]
    modalities: ClassVar[tuple[str, str]]
    serves: ClassVar[tuple[TaskKind, ...]]
    """The kinds of task it can be built for."""

    variants: ClassVar[Mapping[str, Any]]
    """Configuration dataclass by variant name; the first is the default."""

    whole: ClassVar[frozenset[str]] = frozenset()
    """Which of the prepared inputs belong to all items together, such as a graph's edges: each encoder call
    gets them as they are."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.config = self.variants[variant]

    @classmethod
    def from_checkpoint(cls, source: str) -> Self:
        """The backbone whose initial weights are a checkpoint.

        Args:
            source: a path, or ``owner/name`` on a hub.

        Raises:
            UsageError: it is not there, or the family reads no checkpoints.
            MmulbenchError: it is damaged or of another kind.
        """
        raise UsageError(f"the backbone {cls.name} reads no checkpoints{did_you_mean(source, cls.variants)}")

    @property
    def full_name(self) -> str:
        """``family:variant``, as stored in records; a checkpoint's digest is part of it."""
        return f"{self.name}:{self.variant}"

    @property
    def argument(self) -> str:
        """What to give ``--backbone`` to get it again."""
        return self.full_name

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the initial model and the prepared inputs, for cache keys."""
        return {"name": self.full_name, **asdict(self.config)}

    @abstractmethod
    def prepare(self, modality: str, items: RawItems, track: Any) -> Inputs | Blockwise:
        """Everything of the input pipeline that never trains: decode, resize, tokenise, frozen encoders.

        Args:
            modality: which of ``modalities``.
            items: m images, texts or nodes; ``groups`` are put together later.
            track: ``track(iterable, total, description)`` shows progress.

        Returns:
            Tensors whose first dimension is m, and those named in ``whole``, of any shape; or one large input
            that is computed block by block.

        Raises:
            UsageError: where a package it needs is missing, with the command that installs it.
        """

    @abstractmethod
    def build(self, shape: TaskShape = TaskShape()) -> MultimodalModel:
        """A model with its initial weights; random draws come from torch's global generator."""
