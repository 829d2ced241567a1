"""The retrieval model that ALBEF and BLIP share: contrastive alignment, and matching with hard negatives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmulbench.core.data import Targets
from mmulbench.core.model import (
    CONTRASTIVE,
    MATCHING,
    EncoderOutput,
    ModelOutput,
    RetrievalModel,
    of_like_length,
)
from mmulbench.errors import Diverged

FUSED = 128
"""Most pairs that training fuses at a time, of like length."""


@dataclass(frozen=True)
class Draw:
    """Says how the negatives of the matching loss are drawn.

    Negatives drawn by similarity teach the head the log-odds of a pair less its similarity, by which it
    cannot rank. With ``corrected``, the loss takes the log density of the draw from the log-odds
    (noise-contrastive estimation, Gutmann and Hyvärinen 2010), so that the head learns them whole.

    Attributes:
        hardness: factor of the similarity in the softmax that they are drawn by; 0 draws all alike.
        corrected: whether the loss allows for the draw.
    """

    hardness: float = 1.0
    corrected: bool = False


PUBLISHED = Draw()
"""How ALBEF and BLIP draw."""


class AlignedRetrieval(RetrievalModel):
    """Adds a contrastive and a matching path to encoders and a fusion that a subclass has.

    loss = contrastive(I, T) + matching(I, T), where the contrastive target spreads over all true pairs of the
    batch, and matching sees each true pair and the negatives of a `Draw` (arXiv 2107.07651).
    """

    draw: Draw = PUBLISHED

    image_embedding: nn.Linear
    text_embedding: nn.Linear
    log_temperature: nn.Parameter
    matching: nn.Linear

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, 2) logits: unrelated, belongs together."""
        logits: Tensor = self.matching(fused)
        return logits

    def _embed(self, images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        normalize = nn.functional.normalize
        return normalize(self.image_embedding(images), dim=-1), normalize(self.text_embedding(texts), dim=-1)

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Return (n, m) cosine similarity over temperature of images (n, d) and texts (m, d)."""
        images, texts = self._embed(a, b)
        return images @ texts.T / self.log_temperature.exp()

    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return cosine similarity over temperature, and the matching head's log-odds, of n aligned pairs."""
        images, texts = self._embed(a.pooled, b.pooled)
        matching = self.head(self.fuse(a, b))
        contrastive = (images * texts).sum(-1) / self.log_temperature.exp()
        return {CONTRASTIVE: contrastive, MATCHING: matching[:, 1] - matching[:, 0]}

    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """Return contrastive and matching loss of b pairs."""
        similarity, related, count = self.similarity(a.pooled, b.pooled), targets.related, len(a)
        with torch.no_grad():
            rows, texts = hard_negatives(similarity, related, self.draw)
            columns, images = hard_negatives(similarity.T, related.T, self.draw)
            own = torch.arange(count, device=similarity.device)
            first, second = torch.cat([own, rows, images]), torch.cat([own, texts, columns])
            drawn = draw_density(similarity, related, self.draw)[first, second]
        fused = self._fuse_pairs(a, b, first, second)
        logits = self.head(fused)
        return ModelOutput(
            loss=contrastive_loss(similarity, related) + matching_loss(logits, count, drawn),
            logits={CONTRASTIVE: similarity, MATCHING: logits[:count]},
            unimodal={"image": a.pooled, "text": b.pooled},
            fused=fused[:count],
        )

    def _fuse_pairs(self, a: EncoderOutput, b: EncoderOutput, first: Tensor, second: Tensor) -> Tensor:
        """Return the (n, d) fused representations of pairs, given by their places in a and b."""
        parts = of_like_length(a, b, first, second, FUSED)
        found = [self.fuse(a[first[part]].trimmed(), b[second[part]].trimmed()) for part in parts]
        return torch.cat(found)[torch.argsort(torch.cat(parts)).to(first.device)]


def contrastive_loss(similarity: Tensor, related: Tensor) -> Tensor:
    """Return cross-entropy in both directions, the target spread evenly over all true pairs.

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


def matching_loss(logits: Tensor, count: int, drawn: Tensor) -> Tensor:
    """Return the cross-entropy of what true pairs and negatives are judged as.

    Args:
        logits: (n, 2) logits: unrelated, belongs together.
        count: how many pairs are true; they come first.
        drawn: (n,) `draw_density` of each pair, taken from its log-odds.

    Returns:
        Scalar.
    """
    logits = torch.stack([logits[:, 0], logits[:, 1] - drawn], dim=1)
    labels = torch.arange(len(logits), device=logits.device) < count
    return nn.functional.cross_entropy(logits, labels.long())


def draw_density(similarity: Tensor, related: Tensor, draw: Draw) -> Tensor:
    """Say how dense `hard_negatives`, drawn for rows and columns, are beside one true pair a row.

    Args:
        similarity: (n, n) logits.
        related: (n, n) bool.
        draw: how they are drawn.

    Returns:
        (n, n) logs; 0 where neither the row nor the column of a cell has an unrelated item, and everywhere
        where the draw is not to be allowed for.
    """
    if not draw.corrected:
        return torch.zeros_like(similarity)
    scaled = draw.hardness * similarity
    unrelated = scaled.masked_fill(related, -torch.inf)
    rows, columns = (
        torch.where(total.isfinite(), scaled - total, -torch.inf)
        for total in (unrelated.logsumexp(dim, keepdim=True) for dim in (1, 0))
    )
    density = torch.logaddexp(rows, columns)
    return torch.where(density.isfinite(), density, 0.0)


def hard_negatives(similarity: Tensor, related: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
    """Draw one unrelated column for each row, by softmax of similarity.

    Args:
        similarity: (n, m) logits.
        related: (n, m) bool.
        draw: how hard they are.

    Returns:
        Rows that have an unrelated column, and the columns drawn for them: two vectors of equal length.

    Raises:
        Diverged: when a similarity is NaN or infinite.
    """
    rows = (~related).any(1).nonzero()[:, 0]
    if len(rows) == 0:
        return rows, rows
    weights = (draw.hardness * similarity[rows]).masked_fill(related[rows], float("-inf")).softmax(1)
    if not weights.isfinite().all():
        raise Diverged("the similarity of a batch is no longer finite")
    return rows, torch.multinomial(weights, 1)[:, 0]
