"""CLIP and SigLIP: dual encoders, whose outputs meet in nothing but a product."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from torch import nn

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones._clip_models import Clip, ClipClassifier, ClipSize, Siglip
from mmulbench.backbones._encoder_sizes import EncoderSizes
from mmulbench.backbones._pixels import CLIP_MEAN, CLIP_STD, HALF, Triple
from mmulbench.backbones._pretrained.transformers_checkpoint import Checkpoint
from mmulbench.core.backbone import TaskShape
from mmulbench.core.data import Inputs
from mmulbench.core.registry import BACKBONES
from mmulbench.errors import MmulbenchError
from mmulbench.packages import package_folder

PIXELS: dict[str, tuple[Triple, Triple]] = {
    "clip": (CLIP_MEAN, CLIP_STD),
    "siglip": (HALF, HALF),
}
"""Mean and deviation of the published models' pixels."""

BEGIN, END = 101, 102
"""Ids of the packaged tokeniser's [CLS] and [SEP]."""

LARGEST = 2
"""Id of the end token that stands for the largest id of a text, whichever it is (transformers' rule)."""


@BACKBONES.register("clip")
class ClipBackbone(TransformersBackbone):
    """Builds CLIP and SigLIP: small random models, or a checkpoint.

    Meant for openai/clip-vit-base-patch32, -base-patch16, -large-patch14 and google/siglip-base-patch16-224,
    and others of model_type ``clip`` or ``siglip``.
    """

    name = "clip"
    model_types = ("clip", "siglip")
    variants: ClassVar[Mapping[str, ClipSize]] = {
        "small": ClipSize(64, 16, 192, 6, 3, 16, 192, 4, 3, "clip", 192, *PIXELS["clip"], end=END),
        "small-siglip": ClipSize(64, 16, 192, 6, 3, 16, 192, 4, 3, "siglip", 192, *PIXELS["siglip"]),
        # As many patches and words as `small` has, in fewer and narrower layers, for training on a processor.
        "mini": ClipSize(32, 8, 128, 3, 4, 16, 128, 3, 4, "clip", 128, *PIXELS["clip"], end=END),
        "mini-siglip": ClipSize(32, 8, 128, 3, 4, 16, 128, 3, 4, "siglip", 128, *PIXELS["siglip"]),
        "tiny": ClipSize(32, 16, 32, 1, 2, 12, 32, 1, 2, "clip", 32, *PIXELS["clip"], end=END),
        "tiny-siglip": ClipSize(32, 16, 32, 1, 2, 12, 32, 1, 2, "siglip", 32, *PIXELS["siglip"]),
    }
    config: ClipSize

    @classmethod
    def configure(cls, checkpoint: Checkpoint) -> ClipSize:
        """Return size and inputs of a checkpoint.

        Raises:
            MmulbenchError: its configuration describes no such model.
        """
        family = checkpoint.config["model_type"]
        found = checkpoint.model_config(_class_of(family))
        image, text = found.vision_config, found.text_config
        if problem := _problem(family, found):
            raise MmulbenchError(f"{checkpoint.folder / 'config.json'}: {problem}")
        mean, std = checkpoint.mean_and_std(*PIXELS[family])
        return ClipSize(
            **asdict(EncoderSizes.of(found)),
            family=family,
            embedding=found.projection_dim if family == "clip" else image.hidden_size,
            mean=mean,
            std=std,
            vocabulary=text.vocab_size,
            end=text.eos_token_id if family == "clip" else None,
        )

    def word_pieces(self, texts: list[str]) -> Inputs:
        """Return ``ids`` alone: neither text encoder takes a mask of padding.

        Raises:
            MmulbenchError: where the tokeniser does not end texts as the model reads them.
        """
        ids, end = super().word_pieces(texts)["ids"], self.config.end
        if self.checkpoint is not None and end not in (None, LARGEST) and not (ids == end).any(1).all():
            raise MmulbenchError(
                f"the tokeniser in {self.checkpoint.folder} does not end texts with {end}, the model's "
                "eos_token_id, where it reads them"
            )
        return {"ids": ids}

    def build(self, shape: TaskShape = TaskShape()) -> Clip | ClipClassifier:  # noqa: B008 (frozen)
        """Return a model for retrieval or classification: random, or with the checkpoint's weights.

        Raises:
            UsageError: where transformers or the checkpoint's weights are missing.
            MmulbenchError: where the weights are damaged.
        """
        package_folder("transformers", "the backbone clip")
        size = self.config
        if self.checkpoint is None:
            parts = _random_clip(size) if size.family == "clip" else _random_siglip(size)
        else:
            parts = self.checkpoint.load(_class_of(size.family))
        if shape.classes:
            return ClipClassifier(parts, size, shape.classes, shape.group)
        return (Clip if size.family == "clip" else Siglip)(parts, size, shape.group)


def _class_of(family: str) -> Any:
    """Return Transformers' model class."""
    from transformers import CLIPModel, SiglipModel

    return CLIPModel if family == "clip" else SiglipModel


def _problem(family: str, found: Any) -> str:
    """Return why a transformers configuration cannot be used; empty where it can."""
    image, text = found.vision_config, found.text_config
    if not (isinstance(image.image_size, int) and isinstance(image.patch_size, int)):
        return "image_size and patch_size must be whole numbers"
    if image.num_channels != 3:
        return f"num_channels must be 3, not {image.num_channels}"
    if family == "clip":
        ends = isinstance(text.eos_token_id, int)
        return "" if ends else f"eos_token_id must be a whole number, not {text.eos_token_id}"
    if not getattr(image, "vision_use_head", True):  # older versions of transformers know it by its absence
        return "vision_use_head must be true, or images have no pooled output"
    if text.projection_size != image.hidden_size:
        return f"texts end in {text.projection_size} numbers but images in {image.hidden_size}"
    return ""


def _configs(size: ClipSize) -> dict[str, dict[str, Any]]:
    """Return the settings that both families' transformers configurations call alike."""
    text = {**size.text_config(size.vocabulary), "bos_token_id": BEGIN, "eos_token_id": END}
    return {"vision_config": size.vision_config(), "text_config": text}


def _random_clip(size: ClipSize) -> Any:
    from transformers import CLIPConfig, CLIPModel

    return CLIPModel(CLIPConfig(**_configs(size), projection_dim=size.embedding))


def _random_siglip(size: ClipSize) -> Any:
    """Return a SigLIP with the paper's initial scale and bias, which transformers leaves at 0."""
    from transformers import SiglipConfig, SiglipModel

    model = SiglipModel(SiglipConfig(**_configs(size)))
    nn.init.constant_(model.logit_scale, math.log(10))
    nn.init.constant_(model.logit_bias, -10.0)
    return model
