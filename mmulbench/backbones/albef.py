"""ALBEF: image and text encoders, contrastive alignment, cross-attention fusion, matching head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from mmulbench.backbones import _packaged_encoders
from mmulbench.backbones._albef_config import BASE, AlbefConfig
from mmulbench.backbones._aligned_retrieval import AlignedRetrieval, Draw
from mmulbench.backbones._checkpoint_backbone import CheckpointBackbone
from mmulbench.backbones._encoders import (
    ClassHead,
    Encoder,
    LowRankProduct,
    ProjectedTokens,
    TextTransformer,
    VisionTransformer,
    fusion_layer,
    masked_mean,
    places_of,
    side_by_side,
)
from mmulbench.backbones._pixels import resized_pixels
from mmulbench.backbones._pretrained.albef_checkpoint import AlbefCheckpoint, open_checkpoint
from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Inputs
from mmulbench.core.model import ClassificationModel, EncoderOutput, MultimodalModel
from mmulbench.core.registry import BACKBONES
from mmulbench.progress import Track


class _AlbefTrunk(MultimodalModel):
    """Holds image encoder, text encoder and cross-attention fusion, without a head."""

    modalities = ("image", "text")
    fusion: nn.ModuleList

    def __init__(self, config: AlbefConfig, images: int) -> None:
        super().__init__()
        self.image, self.text = _encoders(config)
        self._pool_mean = config.encoders == "packaged"
        self.product = LowRankProduct(config.width, config.product) if config.product else None
        self.slots = places_of(images, config.width)

    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Return tokens, mask and unimodal representation of b images (or groups of images) or texts."""
        if modality == "text":
            return self.text(inputs)
        if self.slots is None:
            return self.image(inputs)
        images = {name: value.flatten(0, 1) for name, value in inputs.items()}
        return side_by_side(self.image(images), self.slots)

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return (n, d): the texts' tokens attend to each other (both ways) and to the images' tokens."""
        tokens = b.tokens
        for layer in self.fusion:
            tokens = layer(tokens, a.tokens, tgt_key_padding_mask=~b.mask, memory_key_padding_mask=~a.mask)
        fused = masked_mean(tokens, b.mask) if self._pool_mean else tokens[:, 0]
        return fused if self.product is None else self.product(fused, a.pooled)

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of what fuses."""
        return [*self.fusion.parameters(), *(self.product.parameters() if self.product is not None else ())]


class Albef(_AlbefTrunk, AlignedRetrieval):
    """Implements ALBEF (arXiv 2107.07651) without momentum distillation and masked language modelling."""

    def __init__(self, config: AlbefConfig, images: int = 1) -> None:
        super().__init__(config, images)
        self.image_embedding = nn.Linear(config.width, config.embedding)
        self.text_embedding = nn.Linear(config.width, config.embedding)
        self.log_temperature = nn.Parameter(torch.tensor(config.temperature).log())
        self.fusion = _fusion_layers(config)
        self.matching = _centred(nn.Linear(config.width, 2))
        self.draw = config.draw

    def rerank(self, similarity: Tensor, logits: Tensor) -> Tensor:
        """Return the matching logit alone, as the authors' ``Retrieval.py`` does."""
        return logits[..., 1]

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return what fuses and the matching head."""
        return [*super().fusion_parameters(), *self.matching.parameters()]


class AlbefClassifier(_AlbefTrunk, ClassificationModel):
    """Implements ALBEF for a class of a pair, with a two-layer head on the fused representation."""

    def __init__(self, config: AlbefConfig, classes: int, images: int = 1) -> None:
        super().__init__(config, images)
        self.fusion = _fusion_layers(config)
        self.classes = ClassHead(config.width, config.width, classes)

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, classes) logits."""
        return self.classes(fused)

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return what fuses and the head."""
        return [*super().fusion_parameters(), *self.classes.parameters()]


@torch.no_grad()
def _centred(head: nn.Linear) -> nn.Linear:
    """Make a new head's logits sum to zero, which training keeps so: each alone then ranks as both do.

    Training moves the difference of the logits only. Without this, what both start with in common stays, and
    disturbs re-ranking by one of them: of two originals on emoji, one lost 4 points of validation recall by
    it, the other 1.
    """
    for parameter in (head.weight, head.bias):
        parameter.sub_(parameter.mean(0))
    return head


def _fusion_layers(config: AlbefConfig) -> nn.ModuleList:
    return nn.ModuleList(
        fusion_layer(config.width, config.heads, config.dropout, config.text_epsilon)
        for _ in range(config.fusion_layers)
    )


def _encoders(config: AlbefConfig) -> tuple[Encoder, Encoder]:
    width, heads, dropout = config.width, config.heads, config.dropout
    if config.encoders == "packaged":
        return (
            ProjectedTokens(_packaged_encoders.IMAGE_WIDTH, width, dropout),
            ProjectedTokens(_packaged_encoders.TEXT_WIDTH, width, dropout),
        )
    image = VisionTransformer(
        config.image_size,
        config.patch,
        width,
        config.image_layers,
        heads,
        config.image_epsilon,
        config.mean,
        config.std,
    )
    text = TextTransformer(
        _packaged_encoders.VOCABULARY,
        config.text_length,
        width,
        config.text_layers,
        heads,
        dropout,
        config.text_epsilon,
    )
    return image, text


@BACKBONES.register("albef")
class AlbefBackbone(CheckpointBackbone):
    """Builds ALBEF in sizes from a laptop test to the paper's ViT-B/16 + BERT-base with 6 fusion layers.

    Checkpoints are files as the authors publish them (github.com/salesforce/ALBEF), meant for: ``ALBEF.pth``
    and ``ALBEF_4M.pth`` (pretraining at 256 pixels, read at 384 as the authors fine-tune them),
    ``flickr30k.pth``, ``mscoco.pth`` and ``refcoco.pth`` (retrieval heads), ``vqa.pth`` (encoders and fusion
    alone), and what the authors' programs for these tasks and for visual entailment write. Heads that a
    file lacks are random. Groups of images start from any of them; the authors' own form for two images
    (NLVR2), with its doubled fusion layers, is refused.
    """

    name = "albef"
    variants: ClassVar[Mapping[str, AlbefConfig]] = {
        # Finer pixels, fewer tokens: chosen in a pilot on emoji over 128 pixels as 4 x 4 tokens.
        # Product and draw: without them the matching head ranks no better than similarity on emoji.
        "packaged": AlbefConfig(
            "packaged",
            192,
            12,
            128,
            4,
            1,
            pool=2,
            embedding=128,
            dropout=0.0,
            product=128,
            draw=Draw(0.5, corrected=True),
        ),
        "tiny": AlbefConfig("trained", 32, 12, 32, 2, 1, 1, 1, embedding=32, dropout=0.0),
        "small": AlbefConfig("trained", 64, 16, 192, 3, 2, 6, 4, dropout=0.0),
        "base": BASE,
    }
    config: AlbefConfig
    checkpoint: AlbefCheckpoint | None = None

    @classmethod
    def from_checkpoint(cls, source: str) -> Self:
        """Return the backbone whose initial weights are a file in the authors' layout.

        Args:
            source: path of the file; ``@digest`` at the end demands that content.

        Raises:
            UsageError: it is not there, has other content than demanded, or is ALBEF's form for two images.
            MmulbenchError: it is damaged, holds more than tensors and plain values, or is of another kind.
        """
        found = open_checkpoint(source, cls.name)
        weights = found.read()
        with torch.device("meta"):  # what does not fit is said now, not after the data is prepared
            weights.load_into(Albef(weights.config))
        return cls.starting_from(found, weights.config)

    def prepare(self, modality: str, items: RawItems, track: Track) -> Inputs | Blockwise:
        """Return frozen features (packaged), or resized pixels and token ids (trained)."""
        frozen = self.config.encoders == "packaged"
        if modality == "image":
            if frozen:
                return _packaged_encoders.image_tokens(items.images, self.config.image_size, self.config.pool)
            return resized_pixels(items.images, self.config.image_size)
        texts = list(items.texts or ())
        if frozen:
            return _packaged_encoders.text_tokens(texts, self.config.text_length, track)
        ids, mask = _packaged_encoders.tokenize(texts, self.config.text_length)
        return {"ids": ids, "mask": mask}

    def build(self, shape: TaskShape = TaskShape()) -> Albef | AlbefClassifier:  # noqa: B008 (frozen)
        """Return a model for retrieval or classification: random, or with what the checkpoint has for it.

        Raises:
            MmulbenchError: the checkpoint can no longer be read.
        """
        model: Albef | AlbefClassifier
        if shape.classes:
            model = AlbefClassifier(self.config, shape.classes, shape.group)
        else:
            model = Albef(self.config, shape.group)
        if self.checkpoint is not None:
            self.checkpoint.read().load_into(model)
        return model
