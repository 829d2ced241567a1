"""BLIP: one text encoder that reads texts alone, and again with cross-attention to the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from mmulbench.backbones._blip_models import Blip, BlipClassifier, BlipSize
from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones._encoder_sizes import EncoderSizes
from mmulbench.backbones._pixels import CLIP_MEAN, CLIP_STD
from mmulbench.backbones._pretrained.transformers_checkpoint import Checkpoint
from mmulbench.core.backbone import TaskShape
from mmulbench.core.registry import BACKBONES
from mmulbench.errors import MmulbenchError
from mmulbench.packages import package_folder

TEXT_LENGTH = 35
"""Number of tokens of a text in the published retrieval models' training."""

HEADS = ("vision_proj", "text_proj", "itm_head")
"""Heads that a checkpoint may lack, as those for question answering do."""


@BACKBONES.register("blip")
class BlipBackbone(TransformersBackbone):
    """Builds BLIP: small random models, or a checkpoint.

    Meant for Salesforce/blip-itm-base-flickr, -base-coco, -large-flickr and -large-coco. Classification also
    takes the encoders of Salesforce/blip-vqa-base and -vqa-capfilt-large; retrieval gives those new heads.
    """

    name = "blip"
    model_types = ("blip",)
    variants: ClassVar[Mapping[str, BlipSize]] = {
        "small": BlipSize(64, 16, 192, 6, 3, 16, 192, 4, 3),
        "mini": BlipSize(32, 8, 128, 3, 4, 16, 128, 3, 4, embedding=128),
        "tiny": BlipSize(32, 16, 32, 1, 2, 12, 32, 1, 2, embedding=32),
    }
    config: BlipSize

    @classmethod
    def configure(cls, checkpoint: Checkpoint) -> BlipSize:
        """Return size and inputs of a checkpoint.

        Raises:
            MmulbenchError: its configuration describes no such model.
        """
        from transformers import BlipForImageTextRetrieval

        found = checkpoint.model_config(BlipForImageTextRetrieval)
        image, text = found.vision_config, found.text_config
        path = checkpoint.folder / "config.json"
        if not (isinstance(image.image_size, int) and isinstance(image.patch_size, int)):
            raise MmulbenchError(f"{path}: image_size and patch_size must be whole numbers")
        if not text.is_decoder:
            raise MmulbenchError(
                f"{path}: is_decoder must be true, or the text encoder has no cross-attention"
            )
        mean, std = checkpoint.mean_and_std(CLIP_MEAN, CLIP_STD)
        sizes = EncoderSizes.of(found)
        return BlipSize(
            **{**asdict(sizes), "text_length": min(TEXT_LENGTH, sizes.text_length)},
            vocabulary=text.vocab_size,
            embedding=found.image_text_hidden_size,
            mean=mean,
            std=std,
        )

    def build(self, shape: TaskShape = TaskShape()) -> Blip | BlipClassifier:  # noqa: B008 (frozen)
        """Return a model for retrieval or classification: random, or with the checkpoint's weights.

        Raises:
            UsageError: where transformers or the checkpoint's weights are missing.
            MmulbenchError: where the weights are damaged.
        """
        package_folder("transformers", "the backbone blip")
        from transformers import BlipForImageTextRetrieval

        if self.checkpoint is None:
            parts = BlipForImageTextRetrieval(_architecture(self.config))
        else:
            parts = self.checkpoint.load(BlipForImageTextRetrieval, new=HEADS)
        if shape.classes:
            return BlipClassifier(parts, self.config, shape.classes, shape.group)
        return Blip(parts, self.config, shape.group)


def _architecture(size: BlipSize) -> Any:
    """Return Transformers' configuration of a random model, without dropout."""
    from transformers import BlipConfig

    return BlipConfig(
        # The default range, 1e-10, is meant to be overwritten by weights.
        vision_config={**size.vision_config(), "initializer_range": 0.02},
        # The default begin token is outside the vocabulary, and never used.
        text_config={**size.text_config(size.vocabulary), "bos_token_id": None},
        image_text_hidden_size=size.embedding,
    )
