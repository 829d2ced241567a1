"""Encoders that ALBEF and GTNN train from scratch, built from torch's layers, and parts that others share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mmulbench.backbones._pixels import HALF, Normalisation, Triple
from mmulbench.core.data import Inputs
from mmulbench.core.model import EncoderOutput


def encoder_layer(
    width: int, heads: int, dropout: float, epsilon: float = 1e-5, *, norm_first: bool
) -> nn.TransformerEncoderLayer:
    """Return one self-attention layer.

    Args:
        width: width of a token.
        heads: number of attention heads.
        dropout: probability that a value is dropped in training.
        epsilon: epsilon of the layer norms.
        norm_first: pre-norm, as in ViT, instead of post-norm, as in BERT.
    """
    return nn.TransformerEncoderLayer(
        width,
        heads,
        4 * width,
        dropout,
        activation="gelu",
        layer_norm_eps=epsilon,
        batch_first=True,
        norm_first=norm_first,
    )


def fusion_layer(width: int, heads: int, dropout: float, epsilon: float) -> nn.TransformerDecoderLayer:
    """Return one layer of BERT with cross-attention: post-norm and bidirectional.

    Args:
        width: width of a token.
        heads: number of attention heads.
        dropout: probability that a value is dropped in training.
        epsilon: epsilon of the layer norms.
    """
    return nn.TransformerDecoderLayer(
        width, heads, 4 * width, dropout, activation="gelu", layer_norm_eps=epsilon, batch_first=True
    )


class Encoder(nn.Module):
    """Encodes the items of one modality; the base of all encoders here."""

    if TYPE_CHECKING:  # torch types every call of a module as Any

        def __call__(self, inputs: Inputs) -> EncoderOutput:
            """Run `forward`."""


class ClassHead(nn.Sequential):
    """Turns fused representations into logits of classes, by two layers.

    Args:
        inputs: width of a fused representation.
        width: width between the layers.
        classes: number of classes.
    """

    def __init__(self, inputs: int, width: int, classes: int) -> None:
        super().__init__(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, classes))

    if TYPE_CHECKING:  # torch types every call of a module as Any

        def __call__(self, fused: Tensor) -> Tensor:
            """Run `forward`."""


class LowRankProduct(nn.Module):
    """Adds what both sides say together: low-rank bilinear pooling (arXiv 1610.04325, equation 2).

    Attention adds one side to the other; to compare them feature by feature would take it many samples.

    Args:
        width: width of a representation.
        rank: number of products.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, rank), nn.Linear(width, rank)
        self.out = nn.Linear(rank, width)
        self.norm = nn.LayerNorm(width)

    if TYPE_CHECKING:  # torch types every call of a module as Any

        def __call__(self, fused: Tensor, other: Tensor) -> Tensor:
            """Run `forward`."""

    def forward(self, fused: Tensor, other: Tensor) -> Tensor:
        """Return (n, width) of fused representations and representations of the other side, both so wide."""
        found: Tensor = self.norm(fused + self.out(self.first(fused) * self.second(other)))
        return found


class VisionTransformer(Encoder):
    """ViT (arXiv 2010.11929): patches, a class token, pre-norm layers; no dropout, as in ALBEF.

    Reads ``pixels``: (b, size, size, 3) uint8. Tokens: 1 + (size / patch)².

    Args:
        size: pixels on each side of an image.
        patch: pixels on each side of a patch.
        width: width of every token.
        layers: number of layers.
        heads: number of attention heads.
        epsilon: epsilon of the layer norms.
        mean: (r, g, b) to subtract from pixels in [0, 1].
        std: (r, g, b) to divide by afterwards.
    """

    def __init__(
        self,
        size: int,
        patch: int,
        width: int,
        layers: int,
        heads: int,
        epsilon: float = 1e-5,
        mean: Triple = HALF,
        std: Triple = HALF,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, width) * 0.02)
        self.layers = nn.ModuleList(
            encoder_layer(width, heads, 0.0, epsilon, norm_first=True) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, epsilon)
        self.normalise = Normalisation(mean, std)

    def forward(self, inputs: Inputs) -> EncoderOutput:
        """Return tokens of b images; all are real, the class token is the pooled output."""
        patches = self.patches(self.normalise(inputs["pixels"])).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(patches), -1, -1), patches], dim=1) + self.positions
        for layer in self.layers:
            tokens = layer(tokens)
        tokens = self.norm(tokens)
        return EncoderOutput(tokens, all_real(tokens), tokens[:, 0])


class TextTransformer(Encoder):
    """BERT's encoder (arXiv 1810.04805): bidirectional, post-norm.

    Reads ``ids``: (b, l) int and ``mask``: (b, l) bool, True where a token is real.
    """

    def __init__(
        self,
        vocabulary: int,
        length: int,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(1, length, width) * 0.02)
        nn.init.normal_(self.words.weight, std=0.02)
        self.norm = nn.LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            encoder_layer(width, heads, dropout, epsilon, norm_first=False) for _ in range(layers)
        )

    def forward(self, inputs: Inputs) -> EncoderOutput:
        """Return tokens of b texts; the first ([CLS]) is the pooled output."""
        ids, mask = inputs["ids"].long(), inputs["mask"]
        tokens = self.dropout(self.norm(self.words(ids) + self.positions[:, : ids.shape[1]]))
        for layer in self.layers:
            tokens = layer(tokens, src_key_padding_mask=~mask)
        return EncoderOutput(tokens, mask, tokens[:, 0])


class ProjectedTokens(Encoder):
    """Trained projection of a frozen encoder's cached tokens.

    Reads ``tokens``: (b, l, d_in) and, where lengths differ, ``mask``: (b, l) bool. The pooled output is the
    mean over real tokens.
    """

    def __init__(self, width_in: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm_in = nn.LayerNorm(width_in)
        self.project = nn.Linear(width_in, width)
        self.dropout = nn.Dropout(dropout)
        self.norm_out = nn.LayerNorm(width)

    def forward(self, inputs: Inputs) -> EncoderOutput:
        """Return projected tokens of b items."""
        tokens = inputs["tokens"]
        mask = inputs["mask"] if "mask" in inputs else all_real(tokens)
        tokens = self.norm_out(self.dropout(self.project(self.norm_in(tokens))))
        return EncoderOutput(tokens, mask, masked_mean(tokens, mask))


def side_by_side(encoded: EncoderOutput, slots: Tensor) -> EncoderOutput:
    """Put the images of each group together: tokens side by side, with their places' embeddings.

    Args:
        encoded: b · k images, those of a group one after another.
        slots: (k, d) embeddings of the places in a group.

    Returns:
        b groups of k times as many tokens, pooled by the mean.
    """
    count = len(slots)
    tokens = encoded.tokens.reshape(-1, count, *encoded.tokens.shape[1:]) + slots[:, None]
    pooled = (encoded.pooled.reshape(-1, count, slots.shape[1]) + slots).mean(1)
    return EncoderOutput(tokens.flatten(1, 2), encoded.mask.reshape(len(tokens), -1), pooled)


def places_of(group: int, width: int) -> nn.Parameter | None:
    """Draw an embedding for each place in a group of images, as `side_by_side` reads them.

    Args:
        group: number of images in a group.
        width: width of a token.

    Returns:
        (group, width), or None where items are single images.
    """
    return nn.Parameter(torch.randn(group, width) * 0.02) if group > 1 else None


def all_real(tokens: Tensor) -> Tensor:
    """Return the mask (b, l) of tokens (b, l, d) none of which is padding."""
    return torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return (b, d) the mean of tokens over the positions where a mask is True.

    Args:
        tokens: (b, l, d).
        mask: (b, l) bool.
    """
    weights = mask.to(tokens.dtype).unsqueeze(-1)
    return (tokens * weights).sum(1) / weights.sum(1).clamp(min=1.0)
