"""Share what image-text backbones have in common: variants or checkpoints, and inputs for either."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Protocol, Self

from mmulbench.backbones import _packaged_encoders
from mmulbench.backbones._pixels import resized_pixels
from mmulbench.backbones._pretrained.transformers_checkpoint import Checkpoint, open_checkpoint
from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.backbone import Backbone, RawItems
from mmulbench.core.data import Inputs
from mmulbench.progress import Track


class NamedCheckpoint(Protocol):
    """Describes what a checkpoint of any layout is called."""

    @property
    def label(self) -> str:
        """Name and digest, as records carry it."""

    @property
    def argument(self) -> str:
        """Place and digest, as the command line takes it."""


class CheckpointBackbone(Backbone):
    """Builds image-text models of a ``variant``, or from a checkpoint that somebody published."""

    modalities = ("image", "text")
    serves = ("retrieval", "classification", "group classification")

    checkpoint: NamedCheckpoint | None = None

    @classmethod
    def starting_from(cls, checkpoint: NamedCheckpoint, config: object) -> Self:
        """Return the backbone whose initial weights are a checkpoint.

        Args:
            checkpoint: an opened checkpoint.
            config: the family's configuration dataclass, as the checkpoint asks for it.
        """
        backbone = cls.__new__(cls)
        backbone.variant, backbone.config, backbone.checkpoint = checkpoint.label, config, checkpoint
        return backbone

    @property
    def argument(self) -> str:
        """The place of the checkpoint for ``--backbone``, and the content it must have; or the variant."""
        return self.full_name if self.checkpoint is None else f"{self.name}:{self.checkpoint.argument}"


class TransformersBackbone(CheckpointBackbone):
    """Builds models around transformers' encoders: small random ones, or from a checkpoint in its layout.

    Configurations say ``image_size``, ``text_length`` and ``vocabulary``.
    """

    model_types: ClassVar[tuple[str, ...]]
    """Values of ``model_type`` in the configurations that the family reads."""

    checkpoint: Checkpoint | None = None

    @classmethod
    @abstractmethod
    def configure(cls, checkpoint: Checkpoint) -> Any:
        """Return the family's configuration dataclass, filled from a checkpoint's own configuration."""

    @classmethod
    def from_checkpoint(cls, source: str) -> Self:
        """Return the backbone whose initial weights are a checkpoint in the transformers layout."""
        found = open_checkpoint(source, cls.name)
        found.check_type(*cls.model_types)
        return cls.starting_from(found, cls.configure(found))

    def prepare(self, modality: str, items: RawItems, track: Track) -> Inputs | Blockwise:
        """Return resized pixels, or word pieces.

        Raises:
            UsageError: where a package or the checkpoint's tokeniser is missing.
            MmulbenchError: where the tokeniser does not fit the model.
        """
        if modality == "image":
            return resized_pixels(items.images, self.config.image_size)
        return self.word_pieces(list(items.texts or ()))

    def word_pieces(self, texts: list[str]) -> Inputs:
        """Return ``ids``: (n, l) int32 of n texts, and ``mask``: (n, l) bool, True where a token is real."""
        size = self.config
        if self.checkpoint is None:
            ids, mask = _packaged_encoders.tokenize(texts, size.text_length)
        else:
            ids, mask = self.checkpoint.tokenize(texts, size.text_length, size.vocabulary)
        return {"ids": ids, "mask": mask}
