"""ViLT: one transformer over word pieces and image patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones._pixels import HALF
from mmulbench.backbones._pretrained.transformers_checkpoint import Checkpoint
from mmulbench.backbones._vilt_models import Vilt, ViltClassifier, ViltSize, fresh_head, widen
from mmulbench.core.backbone import TaskShape
from mmulbench.core.registry import BACKBONES
from mmulbench.errors import MmulbenchError
from mmulbench.packages import package_folder


@BACKBONES.register("vilt")
class ViltBackbone(TransformersBackbone):
    """Builds ViLT-B/32 as published, or small random models.

    Meant for ``dandelin/vilt-b32-finetuned-flickr30k`` and ``-coco`` (retrieval), ``-nlvr2`` (pairs of
    images) and, with a new head, ``dandelin/vilt-b32-mlm``.
    """

    name = "vilt"
    model_types = ("vilt",)
    variants: ClassVar[Mapping[str, ViltSize]] = {
        # Fewer false texts than published: each costs a pass.
        "small": ViltSize(64, 16, 16, 192, 6, 3, false_texts=3),
        "mini": ViltSize(32, 16, 8, 128, 3, 4, false_texts=3),
        "tiny": ViltSize(32, 12, 16, 32, 1, 2, false_texts=3),
    }
    config: ViltSize

    @classmethod
    def configure(cls, checkpoint: Checkpoint) -> ViltSize:
        """Return sizes from ``config.json``, mean and deviation from ``preprocessor_config.json``.

        Raises:
            MmulbenchError: one of the files is damaged, or its images are no squares.
        """
        from transformers import ViltModel

        found = checkpoint.model_config(ViltModel)
        for name in ("image_size", "patch_size"):
            if not isinstance(value := getattr(found, name), int):
                file = checkpoint.folder / "config.json"
                raise MmulbenchError(f"{file}: {name} must be a number of pixels, not {value!r}")
        mean, std = checkpoint.mean_and_std(HALF, HALF)
        return ViltSize(
            image_size=found.image_size,
            text_length=found.max_position_embeddings,
            patch=found.patch_size,
            width=found.hidden_size,
            layers=found.num_hidden_layers,
            heads=found.num_attention_heads,
            vocabulary=found.vocab_size,
            dropout=found.hidden_dropout_prob,
            mean=mean,
            std=std,
        )

    def build(self, shape: TaskShape = TaskShape()) -> Vilt | ViltClassifier:  # noqa: B008 (frozen)
        """Return a model for retrieval or classification; a head that the checkpoint lacks is new."""
        package_folder("transformers", "the backbone vilt")
        vilt, head = self._weights(shape)
        widen(vilt.embeddings, 1 + shape.group)
        if head is None:
            head = fresh_head(self.config.width, shape)
        cls = ViltClassifier if shape.classes else Vilt
        return cls(vilt, head, self.config, shape.group)

    def _weights(self, shape: TaskShape) -> tuple[Any, nn.Module | None]:
        """Return the transformer, and the checkpoint's head where it fits the task."""
        from transformers import ViltModel

        if self.checkpoint is None:
            return ViltModel(_random(self.config, shape)), None
        cls, name = _headed(self.checkpoint.model_config(ViltModel), shape)
        if cls is None:
            return self.checkpoint.load(ViltModel), None
        model = self.checkpoint.load(cls, new=(f"{name}.",))
        return model.vilt, getattr(model, name)


def _random(size: ViltSize, shape: TaskShape) -> Any:
    """Return the transformers configuration of a random model."""
    from transformers import ViltConfig

    return ViltConfig(
        vocab_size=size.vocabulary,
        modality_type_vocab_size=1 + shape.group,
        max_position_embeddings=size.text_length,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=4 * size.width,
        hidden_dropout_prob=size.dropout,
        image_size=size.image_size,
        patch_size=size.patch,
    )


def _headed(found: Any, shape: TaskShape) -> tuple[Any, str]:
    """Return the transformers class whose head has the task's form, and the head's name in it; or None."""
    from transformers import (
        ViltForImageAndTextRetrieval,
        ViltForImagesAndTextClassification,
        ViltForQuestionAnswering,
    )

    if not shape.classes:
        return (ViltForImageAndTextRetrieval, "rank_output") if shape.group == 1 else (None, "")
    if found.num_labels == shape.classes:
        if found.num_images == shape.group:
            return ViltForImagesAndTextClassification, "classifier"
        if found.num_images < 1 and shape.group == 1:
            return ViltForQuestionAnswering, "classifier"
    return None, ""
