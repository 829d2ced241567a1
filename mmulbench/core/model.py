"""State the contract of models: encode each modality, fuse, and judge the association of a pair."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch import Tensor, nn

from mmulbench.core.data import Batch, Inputs, Targets

Group = Literal["all", "fusion", "unimodal"]

CONTRASTIVE = "contrastive"
"""Association path that compares the outputs of both encoders."""

MATCHING = "matching"
"""Association path that judges whether the fused pair belongs together."""

CLASSIFICATION = "classification"
"""Association path that judges which class the fused pair has."""


@dataclass(frozen=True)
class EncoderOutput:
    """Holds one encoder's output for b items.

    Attributes:
        tokens: (b, l, d) token representations, which fusion reads.
        mask: (b, l) bool, True where a token is real.
        pooled: (b, d) the unimodal representation.
    """

    tokens: Tensor
    mask: Tensor
    pooled: Tensor

    def __len__(self) -> int:
        return len(self.pooled)

    def __getitem__(self, index: Tensor | slice) -> EncoderOutput:
        parts = (self.tokens, self.mask, self.pooled)
        if isinstance(index, slice):
            return EncoderOutput(*(part[index] for part in parts))
        # Of items that are chosen again and again, this sums gradients on all cores; `part[index]` on one.
        return EncoderOutput(*(part.index_select(0, index.to(part.device)) for part in parts))

    def trimmed(self) -> EncoderOutput:
        """Return the same output without the last places of tokens, where they are padding of every item."""
        real = self.mask.any(0).nonzero()
        length = int(real.max()) + 1 if len(real) else 1
        return EncoderOutput(self.tokens[:, :length], self.mask[:, :length], self.pooled)

    def to(self, device: torch.device) -> EncoderOutput:
        """Return the same output on another device."""
        return EncoderOutput(self.tokens.to(device), self.mask.to(device), self.pooled.to(device))


def of_like_length(
    a: EncoderOutput, b: EncoderOutput, first: Tensor, second: Tensor, size: int
) -> tuple[Tensor, ...]:
    """Cut pairs into blocks of like length: fused in their own order, most tokens would be padding.

    Args:
        a: encoder output of items of the first modality.
        b: encoder output of items of the second modality.
        first: (n,) places in ``a``.
        second: (n,) places in ``b``.
        size: most pairs in a block.

    Returns:
        Places of the pairs by block; together each of 0 … n - 1 once.
    """
    lengths = a.mask.sum(1).cpu()[first.cpu()] + b.mask.sum(1).cpu()[second.cpu()]
    return torch.split(torch.argsort(lengths, stable=True), size)


@dataclass(frozen=True)
class ModelOutput:
    """Holds the result of one forward pass over a batch of b true pairs.

    Attributes:
        loss: scalar, the task's own training loss.
        logits: (b, c) logits by association path; softmax over c is the model's belief on that path.
        unimodal: (b, d) unimodal representations by modality.
        fused: (b, d) fused representations of the true pairs.
    """

    loss: Tensor
    logits: dict[str, Tensor]
    unimodal: dict[str, Tensor]
    fused: Tensor


class MultimodalModel(nn.Module, ABC):
    """Describes a model of two encoders and a fusion module.

    Splitting ``encode`` from ``fuse`` is what makes re-pairing and caching cheap: an encoder never has to run
    twice on the same input, and a method never has to know the architecture.
    """

    modalities: tuple[str, str]
    paths: tuple[str, ...]
    """Names of the association paths, such as contrastive and matching: all ways in which the model can tell
    that a pair belongs together, hence in which membership can leak."""

    if TYPE_CHECKING:  # torch types every call of a module as Any

        def __call__(self, batch: Batch) -> ModelOutput:
            """Run `forward`."""

    @abstractmethod
    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Run the encoder of a modality on b items.

        Args:
            modality: one of ``modalities``.
            inputs: inputs of b items, by name.
        """

    @abstractmethod
    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return the (n, d) fused representations of n aligned pairs.

        Args:
            a: encoder output for the pairs' n items of the first modality.
            b: encoder output for their n items of the second modality.
        """

    @abstractmethod
    def head(self, fused: Tensor) -> Tensor:
        """Return the (n, c) logits of (n, d) fused representations."""

    @abstractmethod
    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Say how strongly the model believes that aligned pairs belong together.

        Args:
            a: encoder output for the pairs' n items of the first modality.
            b: encoder output for their n items of the second modality.
            labels: (n,) class of each pair; needed for classification alone.

        Returns:
            (n,) scores by path; in classification the log-odds of each pair's own class.

        Raises:
            ValueError: Classification without labels.
        """

    @abstractmethod
    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """Run the training pass from the encoder outputs of b true pairs.

        Args:
            a: encoder output for the pairs' items of the first modality.
            b: encoder output for their items of the second modality.
            targets: what the pairs should be judged as.

        Raises:
            ValueError: Classification without labels.
        """

    @abstractmethod
    def logits(self, a: EncoderOutput, b: EncoderOutput, fused: Tensor) -> dict[str, Tensor]:
        """Return the (b, c) logits of aligned pairs by path, given their fused representations.

        Args:
            a: encoder output for the pairs' items of the first modality.
            b: encoder output for their items of the second modality.
            fused: (b, d) fused representations of the pairs.
        """

    @abstractmethod
    def fusion_parameters(self) -> list[nn.Parameter]:
        """List the parameters behind the encoders that make or read the fused representation."""

    def forward(self, batch: Batch) -> ModelOutput:
        """Encode both sides of a batch and run the training pass."""
        first, second = self.encode_batch(batch)
        return self.forward_encoded(first, second, batch.targets)

    def encode_batch(self, batch: Batch) -> tuple[EncoderOutput, EncoderOutput]:
        """Run the encoders on both sides of a batch."""
        first, second = self.modalities
        return self.encode(first, batch.inputs(first)), self.encode(second, batch.inputs(second))

    def parameter_group(self, group: Group) -> list[nn.Parameter]:
        """List the parameters of a group, in the order of their definition.

        Args:
            group: ``all``; ``fusion``: fusion module and its head; ``unimodal``: everything else.

        Raises:
            ValueError: The group is none of these.
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


class RetrievalModel(MultimodalModel):
    """Describes a model that can rank, because it compares pooled outputs, or its head judges pairs, or both.

    ``paths`` says which. With both, the contrastive path chooses candidates and `rerank` orders them. A model
    without the contrastive path matches every query with the whole gallery, and ranks by the logit of
    belonging together; one without the matching path is not re-ranked.
    """

    paths: tuple[str, ...] = (CONTRASTIVE, MATCHING)

    largest_gallery: ClassVar[int] = 0
    """Largest number of units in a gallery that retrieval is measured in, beside the task's; 0: no limit."""

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the (n, m) scaled similarities of pooled representations.

        Args:
            a: (n, d) representations of the first modality.
            b: (m, d) representations of the second modality.

        Raises:
            NotImplementedError: The model has no contrastive path.
        """
        raise NotImplementedError(f"{type(self).__name__} has no contrastive path")

    def rerank(self, similarity: Tensor, logits: Tensor) -> Tensor:
        """Return (n,) scores that order n candidates of a query: the rule of the model's own publication.

        Each family has its own, and another family's rule would measure another model.

        Args:
            similarity: (n,) scaled similarities of the candidates, from `similarity`.
            logits: (n, 2) the head's logits (unrelated, belongs together).

        Raises:
            NotImplementedError: The model does not have both paths, or states no rule.
        """
        raise NotImplementedError(f"{type(self).__name__} states no rule of re-ranking: define rerank")

    def logits(self, a: EncoderOutput, b: EncoderOutput, fused: Tensor) -> dict[str, Tensor]:
        """Return similarities within the batch, and the head's logits (unrelated, belongs together)."""
        found = {}
        if CONTRASTIVE in self.paths:
            found[CONTRASTIVE] = self.similarity(a.pooled, b.pooled)
        if MATCHING in self.paths:
            found[MATCHING] = self.head(fused)
        return found


class ClassificationModel(MultimodalModel):
    """Describes a model whose head says which class a fused pair falls into; cross-entropy trains it."""

    paths = (CLASSIFICATION,)

    def logits(self, a: EncoderOutput, b: EncoderOutput, fused: Tensor) -> dict[str, Tensor]:
        """Return the head's logits."""
        return {CLASSIFICATION: self.head(fused)}

    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the log-odds of each pair's own class against all others.

        Raises:
            ValueError: No labels are given.
        """
        if labels is None:
            raise ValueError(
                "the association of a classified pair is that with its own class: labels are needed"
            )
        return {CLASSIFICATION: own_class_log_odds(self.head(self.fuse(a, b)), labels)}

    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """Compute the cross-entropy of the pairs' classes.

        Raises:
            ValueError: The targets have no labels.
        """
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
    """Return (n,) log p(y) - log(1 - p(y)) of each row's own class y.

    Softplus of its negative is the cross-entropy.

    Args:
        logits: (n, c) logits.
        labels: (n,) class indices.
    """
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf")).logsumexp(1)
    return own[:, 0] - others
