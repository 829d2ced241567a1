"""Sizes of an image and a text encoder, as transformers' configurations of BLIP, CLIP and SigLIP say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmulbench.backbones import _packaged_encoders


@dataclass(frozen=True)
class EncoderSizes:
    """Holds the sizes of an image and a text encoder.

    Attributes:
        image_size: pixels on each side of an image; images become squares.
        patch: pixels on each side of a ViT patch.
        image_width: width of image tokens.
        image_layers: number of ViT layers.
        image_heads: number of attention heads in a ViT layer.
        text_length: number of tokens of a text, special ones and padding included.
        text_width: width of text tokens.
        text_layers: number of layers of the text encoder.
        text_heads: number of attention heads in a layer of the text encoder.
    """

    image_size: int
    patch: int
    image_width: int
    image_layers: int
    image_heads: int
    text_length: int
    text_width: int
    text_layers: int
    text_heads: int

    @classmethod
    def of(cls, config: Any) -> EncoderSizes:
        """Return the sizes in a transformers configuration that has ``vision_config`` and ``text_config``."""
        image, text = config.vision_config, config.text_config
        return EncoderSizes(
            image_size=image.image_size,
            patch=image.patch_size,
            image_width=image.hidden_size,
            image_layers=image.num_hidden_layers,
            image_heads=image.num_attention_heads,
            text_length=text.max_position_embeddings,
            text_width=text.hidden_size,
            text_layers=text.num_hidden_layers,
            text_heads=text.num_attention_heads,
        )

    def vision_config(self) -> dict[str, Any]:
        """Return the settings of transformers' ``vision_config``."""
        return {
            "image_size": self.image_size,
            "patch_size": self.patch,
            "hidden_size": self.image_width,
            "intermediate_size": 4 * self.image_width,
            "num_hidden_layers": self.image_layers,
            "num_attention_heads": self.image_heads,
        }

    def text_config(self, vocabulary: int = _packaged_encoders.VOCABULARY) -> dict[str, Any]:
        """Return the settings of transformers' ``text_config``, for a number of word pieces."""
        return {
            "vocab_size": vocabulary,
            "max_position_embeddings": self.text_length,
            "hidden_size": self.text_width,
            "intermediate_size": 4 * self.text_width,
            "num_hidden_layers": self.text_layers,
            "num_attention_heads": self.text_heads,
        }
