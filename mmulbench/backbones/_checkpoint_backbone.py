"""What backbones on transformers' models share: variants or checkpoints, and inputs for either."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

from mmulbench.backbones import _packaged
from mmulbench.backbones._pixels import resized_pixels
from mmulbench.backbones._pretrained.checkpoints import Checkpoint, open_checkpoint
from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.data import Inputs
from mmulbench.core.model import Backbone, RawItems


class CheckpointBackbone(Backbone):
    """A backbone on a transformers model: a small random ``variant``, or a checkpoint.

    Configurations say ``image_size``, ``text_length`` and ``vocabulary``.
    """

    modalities = ("image", "text")
    serves = ("retrieval", "classification", "group classification")

    model_types: ClassVar[tuple[str, ...]]
    """``model_type`` of the configurations that the family reads."""

    checkpoint: Checkpoint | None = None

    @classmethod
    @abstractmethod
    def configure(cls, checkpoint: Checkpoint) -> Any:
        """The family's configuration dataclass, filled from a checkpoint's own configuration."""

    @classmethod
    def from_checkpoint(cls, source: str) -> Self:
        """The backbone whose initial weights are a checkpoint in the transformers layout."""
        found = open_checkpoint(source, cls.name)
        found.check_type(*cls.model_types)
        backbone = cls.__new__(cls)
        backbone.variant, backbone.config, backbone.checkpoint = found.label, cls.configure(found), found
        return backbone

    @property
    def argument(self) -> str:
        """What to give ``--backbone``: the checkpoint's place, and the content it must have."""
        return self.full_name if self.checkpoint is None else f"{self.name}:{self.checkpoint.argument}"

    def prepare(self, modality: str, items: RawItems, track: Any) -> Inputs | Blockwise:
        """Resized pixels, or word pieces.

        Raises:
            UsageError: where a package or the checkpoint's tokeniser is missing.
            MmulbenchError: where the tokeniser does not fit the model.
        """
        if modality == "image":
            return resized_pixels(items.images, self.config.image_size)
        return self.word_pieces(list(items.texts or ()))

    def word_pieces(self, texts: list[str]) -> Inputs:
        """``ids``: (n, l) int32 of n texts, and ``mask``: (n, l) bool, True where a token is real."""
        size = self.config
        if self.checkpoint is None:
            ids, mask = _packaged.tokenize(texts, size.text_length)
        else:
            ids, mask = self.checkpoint.tokenize(texts, size.text_length, size.vocabulary)
        return {"ids": ids, "mask": mask}
