"""Size of an ALBEF model, and the details that its published models fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmulbench.backbones._aligned_retrieval import PUBLISHED, Draw
from mmulbench.backbones._pixels import CLIP_MEAN, CLIP_STD, HALF, Triple


@dataclass(frozen=True)
class AlbefConfig:
    """Describes the size of an ALBEF model.

    Attributes:
        encoders: ``packaged``: frozen EfficientNet-Lite0 and MiniLM with trained projections;
            ``trained``: ViT and BERT layers trained end to end.
        image_size: pixels on each side.
        text_length: number of tokens of a text, [CLS] and [SEP] included.
        width: width of every token.
        heads: number of attention heads.
        fusion_layers: number of cross-attention layers.
        image_layers: number of ViT layers (``trained`` only).
        text_layers: number of BERT layers (``trained`` only).
        patch: ViT patch, pixels (``trained`` only).
        pool: cells of the frozen feature map averaged into one token, a side (``packaged`` only).
        embedding: width of the contrastive embedding (ALBEF: 256).
        dropout: dropout in text and fusion layers and projections (ALBEF's BERT: 0.1).
        temperature: initial contrastive temperature, learnt (ALBEF: 0.07).
        product: width of the low-rank product of both sides that is added to the fused representation
            (arXiv 1610.04325; ALBEF has none).
        draw: how the negatives of the matching loss are drawn.
        image_epsilon: epsilon of the ViT's layer norms (``trained`` only; ALBEF: 1e-6).
        text_epsilon: epsilon of the layer norms in text and fusion layers (ALBEF's BERT: 1e-12).
        mean: (r, g, b) to subtract from pixels in [0, 1] (``trained`` only).
        std: (r, g, b) to divide by afterwards (``trained`` only).
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
    product: int = 0
    draw: Draw = PUBLISHED
    image_epsilon: float = 1e-5
    text_epsilon: float = 1e-5
    mean: Triple = HALF
    std: Triple = HALF


BASE = AlbefConfig(
    encoders="trained",
    image_size=384,
    text_length=30,
    width=768,
    heads=12,
    fusion_layers=6,
    image_layers=12,
    text_layers=6,
    image_epsilon=1e-6,
    text_epsilon=1e-12,
    mean=CLIP_MEAN,
    std=CLIP_STD,
)
"""The published model: ViT-B/16 and BERT-base, whose last six layers are the fusion."""
