"""The contract between models and everything else: encode each modality, fuse, judge the association."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from mmulbench.data import Batch, Inputs

Group = Literal["all", "fusion", "unimodal"]


@dataclass(frozen=True)
class Encoded:
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

    def __getitem__(self, index: Tensor) -> Encoded:
        return Encoded(self.tokens[index], self.mask[index], self.pooled[index])

    def to(self, device: torch.device) -> Encoded:
        """The same output on another device."""
        return Encoded(self.tokens.to(device), self.mask.to(device), self.pooled.to(device))


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

    @abstractmethod
    def encode(self, modality: str, inputs: Inputs) -> Encoded:
        """Unimodal output for b items of ``modality``."""

    @abstractmethod
    def fuse(self, a: Encoded, b: Encoded) -> Tensor:
        """(n, d) fused representation of n aligned pairs."""

    @abstractmethod
    def head(self, fused: Tensor) -> Tensor:
        """(n, c) logits of fused representations."""

    @abstractmethod
    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, m) scaled similarity of pooled representations (n, d) and (m, d), for retrieval."""

    @abstractmethod
    def association(self, a: Encoded, b: Encoded) -> dict[str, Tensor]:
        """By path, (n,) how strongly the model believes that aligned pairs belong together."""

    @abstractmethod
    def forward_encoded(self, a: Encoded, b: Encoded, related: Tensor) -> ModelOutput:
        """The training pass from encoder outputs; ``related`` (b, b) marks all true pairs of the batch."""

    def logits(self, a: Encoded, b: Encoded, fused: Tensor) -> dict[str, Tensor]:
        """By path, (b, c) logits of aligned pairs whose fused representation is already known."""
        return {"contrastive": self.similarity(a.pooled, b.pooled), "matching": self.head(fused)}

    @abstractmethod
    def fusion_parameters(self) -> list[nn.Parameter]:
        """Parameters behind the encoders that make or read the fused representation."""

    def forward(self, batch: Batch) -> ModelOutput:
        """Encode both sides of a batch and run the training pass."""
        first, second = self.encode_batch(batch)
        return self.forward_encoded(first, second, batch.related)

    def encode_batch(self, batch: Batch) -> tuple[Encoded, Encoded]:
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
        images: (n, h, w, 3) uint8 RGB, or None.
        texts: n strings, or None.
    """

    images: Any = None
    texts: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.images if self.images is not None else self.texts or ())


class Backbone(ABC):
    """A family of models: turns raw items into inputs once, and builds fresh initialised models.

    Subclasses are registered under the family's name; ``family:variant`` picks one of ``variants``.
    """

    name: ClassVar[str]
    modalities: ClassVar[tuple[str, str]]
    variants: ClassVar[Mapping[str, Any]]
    """Configuration dataclass by variant name; the first is the default."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.config = self.variants[variant]

    @property
    def full_name(self) -> str:
        """``family:variant``, as stored in records."""
        return f"{self.name}:{self.variant}"

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the initial model and the prepared inputs, for cache keys."""
        return {"name": self.full_name, **asdict(self.config)}

    @abstractmethod
    def prepare(self, modality: str, items: RawItems, track: Any) -> Inputs:
        """Everything of the input pipeline that never trains: decode, resize, tokenise, frozen encoders.

        Args:
            modality: which of ``modalities``.
            items: the raw items, n of them.
            track: ``track(iterable, total, description)`` shows progress.

        Returns:
            Tensors whose first dimension is n.

        Raises:
            UsageError: where a package it needs is missing, with the command that installs it.
        """

    @abstractmethod
    def build(self) -> MultimodalModel:
        """A freshly initialised model; random draws come from torch's global generator."""


def config_fields(config: Any) -> list[str]:
    """Names of a configuration dataclass's fields."""
    return [item.name for item in fields(config)]
