"""ALBEF: image and text encoders, contrastive alignment, cross-attention fusion, matching head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from mmulbench.backbones import _packaged
from mmulbench.backbones._encoders import ProjectedTokens, TextTransformer, VisionTransformer, masked_mean
from mmulbench.backbones._pixels import resized_pixels
from mmulbench.data import Inputs, Targets
from mmulbench.errors import Diverged
from mmulbench.model import (
    CONTRASTIVE,
    MATCHING,
    Backbone,
    Blockwise,
    ClassificationModel,
    Encoded,
    ModelOutput,
    MultimodalModel,
    RawItems,
    RetrievalModel,
    TaskShape,
)
from mmulbench.registry import BACKBONES


@dataclass(frozen=True)
class AlbefConfig:
    """Size of an ALBEF model.

    Attributes:
        encoders: ``packaged``: frozen EfficientNet-Lite0 and MiniLM with trained projections;
            ``trained``: ViT and BERT layers trained end to end.
        image_size: pixels a side.
        text_length: tokens of a text, [CLS] and [SEP] included.
        width: width of every token.
        heads: attention heads.
        fusion_layers: cross-attention layers.
        image_layers: ViT layers (``trained`` only).
        text_layers: BERT layers (``trained`` only).
        patch: ViT patch, pixels (``trained`` only).
        pool: cells of the frozen feature map averaged into one token, a side (``packaged`` only).
        embedding: width of the contrastive embedding (ALBEF: 256).
        dropout: in text and fusion layers and projections (ALBEF's BERT: 0.1).
        temperature: initial contrastive temperature, learnt (ALBEF: 0.07).
    """

    encoders: Literal["packaged", "trained"]
    image_size: int
    text_length: int
    width: int
    heads: int
    fusion_layers: int
    image_layers: int = 0
    text_layers: int = 0
    patch: int = 16
    pool: int = 1
    embedding: int = 256
    dropout: float = 0.1
    temperature: float = 0.07


class _Trunk(MultimodalModel):
    """Image encoder, text encoder and cross-attention fusion, without a head."""

    modalities = ("image", "text")
    fusion: nn.ModuleList

    def __init__(self, config: AlbefConfig, images: int) -> None:
        super().__init__()
        self.image, self.text = _encoders(config)
        self._pool_mean = config.encoders == "packaged"
        self.slots = nn.Parameter(torch.randn(images, config.width) * 0.02) if images > 1 else None

    def encode(self, modality: str, inputs: Inputs) -> Encoded:
        """Tokens, mask and unimodal representation of b images (or groups of images) or texts."""
        if modality == "text":
            return self.text(inputs)  # type: ignore[no-any-return]
        return self.image(inputs) if self.slots is None else self._encode_groups(inputs, self.slots)

    def _encode_groups(self, inputs: Inputs, slots: Tensor) -> Encoded:
        """Groups of k images: tokens side by side, each with its place's embedding; pooled is the mean."""
        count, width = slots.shape
        encoded = self.image({name: value.flatten(0, 1) for name, value in inputs.items()})
        tokens = encoded.tokens.unflatten(0, (-1, count)) + slots[:, None]
        pooled = (encoded.pooled.reshape(-1, count, width) + slots).mean(1)
        return Encoded(tokens.flatten(1, 2), encoded.mask.reshape(len(tokens), -1), pooled)

    def fuse(self, a: Encoded, b: Encoded) -> Tensor:
        """(n, d): the texts' tokens attend to each other (both ways) and to the images' tokens."""
        tokens = b.tokens
        for layer in self.fusion:
            tokens = layer(tokens, a.tokens, tgt_key_padding_mask=~b.mask, memory_key_padding_mask=~a.mask)
        return masked_mean(tokens, b.mask) if self._pool_mean else tokens[:, 0]


class Albef(_Trunk, RetrievalModel):
    """Align before fuse (arXiv 2107.07651), without momentum distillation and masked language modelling.

    loss = contrastive(I, T) + matching(I, T), where the contrastive target spreads over all true pairs of the
    batch, and matching sees each true pair, one hard negative text an image and one hard negative image a
    text, drawn by softmax of the contrastive similarity.
    """

    def __init__(self, config: AlbefConfig, images: int = 1) -> None:
        super().__init__(config, images)
        self.image_embedding = nn.Linear(config.width, config.embedding)
        self.text_embedding = nn.Linear(config.width, config.embedding)
        self.log_temperature = nn.Parameter(torch.tensor(config.temperature).log())
        self.fusion = _fusion_layers(config)
        self.matching = nn.Linear(config.width, 2)

    def head(self, fused: Tensor) -> Tensor:
        """(n, 2) logits: unrelated, belongs together."""
        return self.matching(fused)  # type: ignore[no-any-return]

    def _embed(self, images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        normalize = nn.functional.normalize
        return normalize(self.image_embedding(images), dim=-1), normalize(self.text_embedding(texts), dim=-1)

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, m) cosine similarity over temperature of images (n, d) and texts (m, d)."""
        images, texts = self._embed(a, b)
        return images @ texts.T / self.log_temperature.exp()

    def association(self, a: Encoded, b: Encoded, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Cosine similarity over temperature, and the matching head's log-odds, of n aligned pairs."""
        images, texts = self._embed(a.pooled, b.pooled)
        matching = self.head(self.fuse(a, b))
        contrastive = (images * texts).sum(-1) / self.log_temperature.exp()
        return {CONTRASTIVE: contrastive, MATCHING: matching[:, 1] - matching[:, 0]}

    def forward_encoded(self, a: Encoded, b: Encoded, targets: Targets) -> ModelOutput:
        """Contrastive and matching loss of b pairs."""
        similarity = self.similarity(a.pooled, b.pooled)
        fused = self.fuse(a, b)
        logits, related = self.head(fused), targets.related
        loss = contrastive_loss(similarity, related) + self._matching_loss(a, b, logits, similarity, related)
        return ModelOutput(
            loss=loss,
            logits={CONTRASTIVE: similarity, MATCHING: logits},
            unimodal={"image": a.pooled, "text": b.pooled},
            fused=fused,
        )

    def _matching_loss(
        self, a: Encoded, b: Encoded, positive: Tensor, similarity: Tensor, related: Tensor
    ) -> Tensor:
        with torch.no_grad():
            rows, texts = hard_negatives(similarity, related)
            columns, images = hard_negatives(similarity.T, related.T)
        first = torch.cat([rows, images])
        second = torch.cat([texts, columns])
        logits = positive
        if len(first):  # all pairs of a batch can be of one image, as in a forget set of one unit
            logits = torch.cat([positive, self.head(self.fuse(a[first], b[second]))])
        labels = torch.arange(len(logits), device=logits.device) < len(positive)
        return nn.functional.cross_entropy(logits, labels.long())

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Cross-attention layers and matching head."""
        return [*self.fusion.parameters(), *self.matching.parameters()]


class AlbefClassifier(_Trunk, ClassificationModel):
    """ALBEF for a class of a pair, as in visual entailment: a two-layer head on the fused representation."""

    def __init__(self, config: AlbefConfig, classes: int, images: int = 1) -> None:
        super().__init__(config, images)
        self.fusion = _fusion_layers(config)
        self.classes = nn.Sequential(
            nn.Linear(config.width, config.width), nn.ReLU(), nn.Linear(config.width, classes)
        )

    def head(self, fused: Tensor) -> Tensor:
        """(n, classes) logits."""
        return self.classes(fused)  # type: ignore[no-any-return]

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Cross-attention layers and head."""
        return [*self.fusion.parameters(), *self.classes.parameters()]


def contrastive_loss(similarity: Tensor, related: Tensor) -> Tensor:
    """Cross-entropy in both directions, the target spread evenly over all true pairs.

    Args:
        similarity: (b, b) logits.
        related: (b, b) bool, at least one True in each row and column.

    Returns:
        Scalar.
    """
    target = related.to(similarity.dtype)
    rows = (target / target.sum(1, keepdim=True) * similarity.log_softmax(1)).sum(1)
    columns = (target / target.sum(0, keepdim=True) * similarity.log_softmax(0)).sum(0)
    return -(rows.mean() + columns.mean()) / 2


def hard_negatives(similarity: Tensor, related: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one unrelated column for each row, by softmax of similarity.

    Args:
        similarity: (n, m) logits.
        related: (n, m) bool.

    Returns:
        Rows that have an unrelated column, and the columns drawn for them: two vectors of equal length.

    Raises:
        Diverged: when a similarity is NaN or infinite.
    """
    rows = (~related).any(1).nonzero()[:, 0]
    if len(rows) == 0:
        return rows, rows
    weights = similarity[rows].masked_fill(related[rows], float("-inf")).softmax(1)
    if not weights.isfinite().all():
        raise Diverged("the similarity of a batch is no longer finite")
    return rows, torch.multinomial(weights, 1)[:, 0]


def _fusion_layers(config: AlbefConfig) -> nn.ModuleList:
    """Post-norm layers of self-attention, cross-attention and feed-forward: BERT's, and bidirectional."""
    return nn.ModuleList(
        nn.TransformerDecoderLayer(
            config.width, config.heads, 4 * config.width, config.dropout, activation="gelu", batch_first=True
        )
        for _ in range(config.fusion_layers)
    )


def _encoders(config: AlbefConfig) -> tuple[nn.Module, nn.Module]:
    width, heads, dropout = config.width, config.heads, config.dropout
    if config.encoders == "packaged":
        return (
            ProjectedTokens(_packaged.IMAGE_WIDTH, width, dropout),
            ProjectedTokens(_packaged.TEXT_WIDTH, width, dropout),
        )
    return (
        VisionTransformer(config.image_size, config.patch, width, config.image_layers, heads),
        TextTransformer(_packaged.VOCABULARY, config.text_length, width, config.text_layers, heads, dropout),
    )


@BACKBONES.register("albef")
class AlbefBackbone(Backbone):
    """ALBEF in sizes from a laptop test to the paper's ViT-B/16 + BERT-base with 6 fusion layers."""

    name = "albef"
    modalities = ("image", "text")
    serves = ("retrieval", "classification", "group classification")
    variants: ClassVar[Mapping[str, AlbefConfig]] = {
        # Finer pixels, fewer tokens: chosen in a pilot on emoji over 128 pixels as 4 x 4 tokens.
        "packaged": AlbefConfig("packaged", 192, 12, 128, 4, 1, pool=2, embedding=128, dropout=0.0),
        "tiny": AlbefConfig("trained", 32, 12, 32, 2, 1, 1, 1, embedding=32, dropout=0.0),
        "small": AlbefConfig("trained", 64, 16, 192, 3, 2, 6, 4, dropout=0.0),
        "base": AlbefConfig("trained", 384, 30, 768, 12, 6, 12, 6),
    }
    config: AlbefConfig

    def prepare(self, modality: str, items: RawItems, track: Any) -> Inputs | Blockwise:
        """Frozen features (packaged), or resized pixels and token ids (trained)."""
        frozen = self.config.encoders == "packaged"
        if modality == "image":
            if frozen:
                return _packaged.image_tokens(items.images, self.config.image_size, self.config.pool)
            return resized_pixels(items.images, self.config.image_size)
        texts = list(items.texts or ())
        if frozen:
            return _packaged.text_tokens(texts, self.config.text_length, track)
        ids, mask = _packaged.tokenize(texts, self.config.text_length)
        return {"ids": ids, "mask": mask}

    def build(self, shape: TaskShape = TaskShape()) -> Albef | AlbefClassifier:  # noqa: B008 (frozen)
        """A fresh model for retrieval or classification."""
        if shape.classes:
            return AlbefClassifier(self.config, shape.classes, shape.group)
        return Albef(self.config, shape.group)
