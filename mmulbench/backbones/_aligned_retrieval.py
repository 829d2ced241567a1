"""The retrieval model that ALBEF and BLIP share: contrastive alignment, and matching with hard negatives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmulbench.core.data import Targets
from mmulbench.core.model import CONTRASTIVE, MATCHING, EncoderOutput, ModelOutput, RetrievalModel
from mmulbench.errors import Diverged


class AlignedRetrieval(RetrievalModel):
    """Adds a contrastive and a matching path to encoders and a fusion that a subclass has.

    loss = contrastive(I, T) + matching(I, T), where the contrastive target spreads over all true pairs of the
    batch, and matching sees each true pair, one hard negative text an image and one hard negative image a
    text, drawn by softmax of the contrastive similarity (arXiv 2107.07651).
    """

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
        self, a: EncoderOutput, b: EncoderOutput, positive: Tensor, similarity: Tensor, related: Tensor
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
