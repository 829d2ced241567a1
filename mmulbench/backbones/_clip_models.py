"""CLIP's and SigLIP's models for retrieval and classification, around transformers' encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mmulbench.backbones import _packaged_encoders
from mmulbench.backbones._aligned_retrieval import contrastive_loss
from mmulbench.backbones._encoder_sizes import EncoderSizes
from mmulbench.backbones._encoders import ClassHead, all_real
from mmulbench.backbones._pixels import Normalisation, Triple
from mmulbench.core.data import Inputs, Targets
from mmulbench.core.model import (
    CONTRASTIVE,
    ClassificationModel,
    EncoderOutput,
    ModelOutput,
    MultimodalModel,
    RetrievalModel,
)


@dataclass(frozen=True)
class ClipSize(EncoderSizes):
    """Describes the size of a CLIP or SigLIP model, and what its inputs look like.

    Images become squares; CLIP's published image processor crops them.

    Attributes:
        family: ``clip``: causal text encoder, read at the end token; ``siglip``: bidirectional text encoder
            that sees padding, read at the last token.
        embedding: width of the embeddings that are compared.
        mean: (r, g, b) to subtract from pixels in [0, 1].
        std: (r, g, b) to divide by afterwards.
        vocabulary: number of word pieces.
        end: id of CLIP's end token; 2 means the largest id of a text, as in transformers. None for SigLIP.
    """

    family: Literal["clip", "siglip"]
    embedding: int
    mean: Triple
    std: Triple
    vocabulary: int = _packaged_encoders.VOCABULARY
    end: int | None = None


class _ClipTrunk(MultimodalModel):
    """Holds both encoders and what projects their outputs into one space.

    Args:
        parts: transformers' ``CLIPModel`` or ``SiglipModel``, which ends up in pieces.
        size: size of the model and its inputs.
        images: number of images in one item.
    """

    modalities = ("image", "text")

    def __init__(self, parts: Any, size: ClipSize, images: int) -> None:
        super().__init__()
        self.image, self.text = parts.vision_model, parts.text_model
        self.image_projection: nn.Module
        self.text_projection: nn.Module
        if size.family == "clip":
            self.image_projection, self.text_projection = parts.visual_projection, parts.text_projection
        else:  # SigLIP's image encoder ends in the common space; the text encoder has its projection inside
            self.image_projection, self.text_projection = nn.Identity(), self.text.head
            self.text.head = nn.Identity()
        self._images = images
        self.normalise = Normalisation(size.mean, size.std)

    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Return encoders' pooled outputs before projection: a token for each text and each image.

        Nothing behind the encoders reads more, so nothing more is kept. The pooled output of a group of k
        images is the mean of its k tokens.
        """
        if modality == "text":
            found = self.text(input_ids=inputs["ids"].long(), return_dict=True)
            tokens = found.pooler_output[:, None]
        else:
            found = self.image(pixel_values=self.normalise(inputs["pixels"]), return_dict=True)
            tokens = found.pooler_output.unflatten(0, (-1, self._images))
        return EncoderOutput(tokens, all_real(tokens), tokens.mean(1))

    def _projections(self) -> list[nn.Parameter]:
        return [*self.image_projection.parameters(), *self.text_projection.parameters()]


class Clip(_ClipTrunk, RetrievalModel):
    """Implements CLIP (arXiv 2103.00020): a dual encoder, so its only path is the contrastive one.

    s(I, T) = exp(scale) * cos(I, T); loss = cross-entropy of s over the batch in both directions, its target
    spread over all true pairs. The fused representation is the product of both normalised embeddings element
    by element, times their width d, so that its mean is the cosine and its entries are about as large as
    those of other backbones' fused representations. The scale is learnt without the authors' upper limit
    of 100.
    """

    paths = (CONTRASTIVE,)

    def __init__(self, parts: Any, size: ClipSize, images: int = 1) -> None:
        super().__init__(parts, size, images)
        self.logit_scale: nn.Parameter = parts.logit_scale

    def _embed(self, images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        normalize = nn.functional.normalize
        return normalize(self.image_projection(images), dim=-1), normalize(
            self.text_projection(texts), dim=-1
        )

    def _scaled(self, cosine: Tensor) -> Tensor:
        """Return the model's logits of cosine similarities."""
        return cosine * self.logit_scale.exp()

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return (n, d) product of the normalised embeddings of n aligned pairs, times d."""
        images, texts = self._embed(a.pooled, b.pooled)
        return images * texts * images.shape[-1]

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, 2) logits: 0 for unrelated, the scaled similarity for belonging together."""
        score = self._scaled(fused.mean(-1))
        return torch.stack([torch.zeros_like(score), score], 1)

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Return (n, m) scaled similarity of images (n, d) and texts (m, e)."""
        images, texts = self._embed(a, b)
        return self._scaled(images @ texts.T)

    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return scaled similarity of n aligned pairs."""
        return {CONTRASTIVE: self.head(self.fuse(a, b))[:, 1]}

    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """Return the published loss on b pairs."""
        similarity = self.similarity(a.pooled, b.pooled)
        return ModelOutput(
            loss=self._loss(similarity, targets.related),
            logits={CONTRASTIVE: similarity},
            unimodal={"image": a.pooled, "text": b.pooled},
            fused=self.fuse(a, b),
        )

    def _loss(self, similarity: Tensor, related: Tensor) -> Tensor:
        return contrastive_loss(similarity, related)

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return projections, and what turns cosines into logits."""
        return [*self._projections(), self.logit_scale]


class Siglip(Clip):
    """Implements SigLIP (arXiv 2303.15343): CLIP with a bias, and a yes or no for each pair of the batch.

    s(I, T) = exp(scale) * cos(I, T) + bias;
    loss = -1/b * sum over images i and texts j of log sigmoid(z(i, j) * s(i, j)), where z is 1 for true pairs
    and -1 for all others.
    """

    def __init__(self, parts: Any, size: ClipSize, images: int = 1) -> None:
        super().__init__(parts, size, images)
        self.logit_bias: nn.Parameter = parts.logit_bias

    def _scaled(self, cosine: Tensor) -> Tensor:
        return super()._scaled(cosine) + self.logit_bias

    def _loss(self, similarity: Tensor, related: Tensor) -> Tensor:
        signed = torch.where(related, similarity, -similarity)
        return -nn.functional.logsigmoid(signed).sum() / len(similarity)

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return the text's projection, and what turns cosines into logits."""
        return [*super().fusion_parameters(), self.logit_bias]


class ClipClassifier(_ClipTrunk, ClassificationModel):
    """Implements CLIP or SigLIP for a class of a pair: a two-layer head on embeddings and their products.

    Each image of a group has its own place in what the head reads, so that left and right stay apart.
    """

    def __init__(self, parts: Any, size: ClipSize, classes: int, images: int = 1) -> None:
        super().__init__(parts, size, images)
        width = size.embedding
        self.classes = ClassHead((2 * images + 1) * width, width, classes)

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return (n, (2k + 1) d): the k images' embeddings, the text's, and each image's times the text's."""
        images, text = self.image_projection(a.tokens), self.text_projection(b.tokens)
        return torch.cat([images, text, images * text], 1).flatten(1)

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, classes) logits."""
        return self.classes(fused)

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return projections and head."""
        return [*self._projections(), *self.classes.parameters()]
