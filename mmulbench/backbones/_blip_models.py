"""BLIP's models for retrieval and classification, around transformers' encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmulbench.backbones import _packaged_encoders
from mmulbench.backbones._aligned_retrieval import AlignedRetrieval
from mmulbench.backbones._encoder_sizes import EncoderSizes
from mmulbench.backbones._encoders import ClassHead, all_real, places_of, side_by_side
from mmulbench.backbones._pixels import CLIP_MEAN, CLIP_STD, Normalisation, Triple
from mmulbench.core.data import Inputs
from mmulbench.core.model import ClassificationModel, EncoderOutput, MultimodalModel


@dataclass(frozen=True)
class BlipSize(EncoderSizes):
    """Describes the size of a BLIP model and its inputs; fused representations are as wide as text tokens.

    Attributes:
        vocabulary: number of word pieces.
        embedding: width of the contrastive embedding.
        temperature: initial contrastive temperature, learnt (BLIP: 0.07; its checkpoints in the transformers
            layout do not hold the trained one).
        mean: (r, g, b) to subtract from pixels in [0, 1].
        std: (r, g, b) to divide by afterwards.
    """

    vocabulary: int = _packaged_encoders.VOCABULARY
    embedding: int = 256
    temperature: float = 0.07
    mean: Triple = CLIP_MEAN
    std: Triple = CLIP_STD


class _BlipTrunk(MultimodalModel):
    """Holds image encoder and text encoder with cross-attention, without a head.

    Args:
        parts: transformers' model, which ends up in pieces.
        config: size of the model and its inputs.
        images: number of images in one item.
    """

    modalities = ("image", "text")

    def __init__(self, parts: Any, config: BlipSize, images: int) -> None:
        super().__init__()
        self.image, self.text = parts.vision_model, parts.text_encoder
        self.slots = places_of(images, config.image_width)
        self.normalise = Normalisation(config.mean, config.std)

    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Return unimodal output of b images (or groups of images) or texts.

        An image's tokens are the ViT's output, its pooled output the class token. A text's tokens are its
        embeddings, where the pass that sees an image starts too; its pooled output is [CLS] after a pass of
        its own.
        """
        if modality == "text":
            return self._encode_texts(inputs["ids"].long(), inputs["mask"])
        images = self._encode_images(inputs["pixels"])
        return images if self.slots is None else side_by_side(images, self.slots)

    def _encode_texts(self, ids: Tensor, mask: Tensor) -> EncoderOutput:
        tokens = self.text.embeddings(input_ids=ids)
        hidden = self.text(encoder_embeds=tokens, attention_mask=mask).last_hidden_state
        return EncoderOutput(tokens, mask, hidden[:, 0])

    def _encode_images(self, pixels: Tensor) -> EncoderOutput:
        tokens = self.image(pixel_values=self.normalise(pixels)).last_hidden_state
        return EncoderOutput(tokens, all_real(tokens), tokens[:, 0])

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return (n, d) first token of the texts, whose tokens attend to each other and to the images."""
        # No mask of the image tokens: all are real, and transformers' BLIP does not heed one.
        hidden: Tensor = self.text(
            encoder_embeds=b.tokens, attention_mask=b.mask, encoder_hidden_states=a.tokens
        ).last_hidden_state
        return hidden[:, 0]

    def _cross_attention(self) -> list[nn.Parameter]:
        return [p for name, p in self.text.named_parameters() if ".crossattention." in name]


class Blip(_BlipTrunk, AlignedRetrieval):
    """Implements BLIP for retrieval (arXiv 2201.12086), without momentum distillation and captioning.

    The pass that sees an image starts with [CLS], as in transformers' ``BlipForImageTextRetrieval``, whose
    numbers this reproduces; the authors' code puts a token [ENC] there instead, in training and in
    evaluation, and their published matching head was trained with it.
    """

    def __init__(self, parts: Any, config: BlipSize, images: int = 1) -> None:
        super().__init__(parts, config, images)
        self.image_embedding, self.text_embedding = parts.vision_proj, parts.text_proj
        self.log_temperature = nn.Parameter(torch.tensor(config.temperature).log())
        self.matching = parts.itm_head

    def rerank(self, similarity: Tensor, logits: Tensor) -> Tensor:
        """Return matching logit plus cosine similarity, as the authors' ``train_retrieval.py`` does."""
        return logits[..., 1] + similarity * self.log_temperature.exp()

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return cross-attention of each layer, and the matching head: what a text alone does not pass."""
        return [*self._cross_attention(), *self.matching.parameters()]


class BlipClassifier(_BlipTrunk, ClassificationModel):
    """Implements BLIP for a class of a pair, with a two-layer head on the fused representation."""

    def __init__(self, parts: Any, config: BlipSize, classes: int, images: int = 1) -> None:
        super().__init__(parts, config, images)
        self.classes = ClassHead(config.text_width, config.text_width, classes)

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, classes) logits."""
        return self.classes(fused)

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return cross-attention of each layer, and the head."""
        return [*self._cross_attention(), *self.classes.parameters()]
