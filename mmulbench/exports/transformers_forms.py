"""Which transformers class has a model's form, and what its parts are called there."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mmulbench.backbones.blip import HEADS
from mmulbench.core.backbone import TaskShape

Names = Mapping[str, str]
"""How names begin here, and in transformers."""

_CLIP: Names = {
    "image.": "vision_model.",
    "text.": "text_model.",
    "image_projection.": "visual_projection.",
    "text_projection.": "text_projection.",
    "logit_scale": "logit_scale",
}
_SIGLIP: Names = {
    "image.": "vision_model.",
    "text.": "text_model.",
    "text_projection.": "text_model.head.",
    "logit_scale": "logit_scale",
    "logit_bias": "logit_bias",
}
_BLIP: Names = {
    "image.": "vision_model.",
    "text.": "text_encoder.",
    "image_embedding.": "vision_proj.",
    "text_embedding.": "text_proj.",
    "matching.": "itm_head.",
}


@dataclass(frozen=True)
class Form:
    """Says how a model is kept in the transformers layout.

    Attributes:
        name: name of the transformers class.
        names: how names begin here and there; all others have no place there.
        absent: beginnings of names there that a model of this form does not have.
        unused: values of single numbers that the class has and the model does not.
    """

    name: str
    names: Names
    absent: tuple[str, ...] = ()
    unused: Mapping[str, float] = field(default_factory=dict)

    @property
    def cls(self) -> Any:
        """The transformers class."""
        import transformers

        return getattr(transformers, self.name)

    def theirs(self, name: str) -> str | None:
        """Return what a weight is called in transformers; None where it has no place there."""
        for ours, theirs in self.names.items():
            if name.startswith(ours):
                return theirs + name.removeprefix(ours)
        return None


def form_of(kind: str, shape: TaskShape, config: Any) -> Form:
    """Return the form of a model.

    Args:
        kind: ``model_type`` of its configuration.
        shape: what the model is for.
        config: its transformers configuration.
    """
    if kind == "vilt":
        return _vilt_form(shape, config)
    if kind == "blip":
        return Form("BlipForImageTextRetrieval", _BLIP, HEADS if shape.classes else ())
    if kind == "siglip":  # unused ones as in the paper's beginning
        unused = {"logit_scale": math.log(10), "logit_bias": -10.0} if shape.classes else {}
        return Form("SiglipModel", _SIGLIP, unused=unused)
    unused = {"logit_scale": config.logit_scale_init_value} if shape.classes else {}
    return Form("CLIPModel", _CLIP, unused=unused)


def _vilt_form(shape: TaskShape, config: Any) -> Form:
    """Return the form of a ViLT model, whose heads transformers has for some shapes."""
    trunk = {"vilt.": "vilt."}
    if not shape.classes and shape.group == 1:
        return Form("ViltForImageAndTextRetrieval", {**trunk, "output.": "rank_output."})
    if shape.classes and config.num_labels == shape.classes:
        if config.num_images == shape.group:
            return Form("ViltForImagesAndTextClassification", {**trunk, "output.": "classifier."})
        if config.num_images < 1 and shape.group == 1:
            return Form("ViltForQuestionAnswering", {**trunk, "output.": "classifier."})
    return Form("ViltModel", {"vilt.": ""})


def config_of(model: Any, kind: str, shape: TaskShape, state: Mapping[str, Tensor], embedding: int) -> Any:
    """Return the transformers configuration of a model.

    Args:
        model: the model, which has transformers' encoders inside.
        kind: its ``model_type``.
        shape: what it is for.
        state: its weights by name.
        embedding: width of what is compared (CLIP, BLIP).
    """
    import transformers

    if kind == "vilt":
        return _vilt_config(model, shape, state)
    parts = {"vision_config": model.image.config.to_dict(), "text_config": model.text.config.to_dict()}
    if kind == "blip":
        return transformers.BlipConfig(**parts, image_text_hidden_size=embedding)
    if kind == "siglip":
        return transformers.SiglipConfig(**parts)
    return transformers.CLIPConfig(**parts, projection_dim=embedding)


def _vilt_config(model: Any, shape: TaskShape, state: Mapping[str, Tensor]) -> Any:
    """Return ViLT's configuration, with the number of images that its head's width tells."""
    config = copy.deepcopy(model.vilt.config)
    config.modality_type_vocab_size = len(state["vilt.embeddings.token_type_embeddings.weight"])
    config.max_image_length = -1  # all patches count here
    if shape.classes:
        hidden = len(state["output.0.weight"])
        config.num_labels = shape.classes
        config.num_images = shape.group if hidden == shape.group * config.hidden_size else -1
    return config
