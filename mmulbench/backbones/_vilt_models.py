"""ViLT's models: embeddings as encoders, the transformer as fusion, a head that ranks or classifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmulbench.backbones import _packaged_encoders
from mmulbench.backbones._encoders import all_real, masked_mean
from mmulbench.backbones._pixels import HALF, Normalisation, Triple
from mmulbench.core.backbone import TaskShape
from mmulbench.core.data import Inputs, Targets
from mmulbench.core.model import (
    MATCHING,
    ClassificationModel,
    EncoderOutput,
    ModelOutput,
    MultimodalModel,
    RetrievalModel,
)


@dataclass(frozen=True)
class ViltSize:
    """Describes the size of a ViLT model.

    Attributes:
        image_size: pixels on each side. Images become squares; published ones keep their shape.
        text_length: tokens of a text, [CLS] and [SEP] included.
        patch: pixels on each side of a patch.
        width: width of every token.
        layers: number of transformer layers.
        heads: number of attention heads.
        vocabulary: number of word pieces.
        dropout: dropout of tokens (published: 0).
        false_texts: number of false texts that a true one is ranked with in training (published: 15).
        mean: (r, g, b) to subtract from pixels in [0, 1].
        std: (r, g, b) to divide by afterwards.
    """

    image_size: int
    text_length: int
    patch: int
    width: int
    layers: int
    heads: int
    vocabulary: int = _packaged_encoders.VOCABULARY
    dropout: float = 0.0
    false_texts: int = 15
    mean: Triple = HALF
    std: Triple = HALF


class _ViltTrunk(MultimodalModel):
    """Holds a transformers ``ViltModel``, taken apart into embeddings (encoders) and transformer (fusion).

    Args:
        vilt: the model, with a modality embedding for texts and for each of the images.
        head: reads the fused representation.
        size: size of the model and its inputs.
        images: number of images in one item.
    """

    modalities = ("image", "text")

    def __init__(self, vilt: Any, head: nn.Module, size: ViltSize, images: int) -> None:
        super().__init__()
        self.vilt = vilt
        self.output = head
        self._images = images
        self._false_texts = size.false_texts
        self.normalise = Normalisation(size.mean, size.std)

    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Return embeddings of word pieces or patches, with position and modality; pooled is their mean.

        ViLT has no encoder of one modality alone, so nothing here sees more than its own token.
        """
        if modality == "text":
            mask = inputs["mask"]
            tokens = self._words(inputs["ids"].long())
        else:
            tokens = self._patches(inputs["pixels"])
            mask = all_real(tokens)
        return EncoderOutput(tokens, mask, masked_mean(tokens, mask))

    def _words(self, ids: Tensor) -> Tensor:
        """Return (b, l, d) of (b, l) ids."""
        embeddings = self.vilt.embeddings
        words: Tensor = embeddings.text_embeddings(input_ids=ids) + embeddings.token_type_embeddings.weight[0]
        return words

    def _patches(self, pixels: Tensor) -> Tensor:
        """Return (b, images · (1 + p), d) of (b, h, w, 3) uint8, or (b, images, h, w, 3).

        Tokens lie side by side, all patches in their order. `ViltEmbeddings` shuffles them, which draws
        random numbers to no effect, and drops some where ``max_image_length`` is set, as in pretraining.
        """
        embeddings, count = self.vilt.embeddings, self._images
        patches = embeddings.patch_embeddings(self.normalise(pixels)).flatten(2).transpose(1, 2)
        first = embeddings.cls_token.expand(len(patches), -1, -1)
        tokens: Tensor = embeddings.dropout(torch.cat([first, patches], 1) + embeddings.position_embeddings)
        kinds: Tensor = embeddings.token_type_embeddings.weight[1 : 1 + count]
        return (tokens.reshape(-1, count, *tokens.shape[1:]) + kinds[:, None]).flatten(1, 2)

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return (n, images · d) pooled first tokens of the transformer over the text and each image."""
        count = self._images
        tokens = torch.cat([b.tokens.repeat_interleave(count, 0), _apart(a.tokens, count)], 1)
        mask = torch.cat([b.mask.repeat_interleave(count, 0), _apart(a.mask, count)], 1)
        bias = torch.zeros_like(mask, dtype=tokens.dtype).masked_fill(~mask, torch.finfo(tokens.dtype).min)
        hidden = self.vilt.encoder(tokens, attention_mask=bias[:, None, None]).last_hidden_state
        pooled: Tensor = self.vilt.pooler(self.vilt.layernorm(hidden[:, :1]))
        return pooled.reshape(len(b), count * pooled.shape[1])

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return transformer layers, final norm, pooler and head."""
        parts = (self.vilt.encoder, self.vilt.layernorm, self.vilt.pooler, self.output)
        return [parameter for part in parts for parameter in part.parameters()]


def _apart(side_by_side: Tensor, count: int) -> Tensor:
    """Return (b · count, l, …) of (b, count · l, …): the parts of every item one after another."""
    items, length, *rest = side_by_side.shape
    return side_by_side.reshape(items * count, length // count, *rest)


class Vilt(_ViltTrunk, RetrievalModel):
    """Implements ViLT (arXiv 2102.03334) for retrieval: a rank score s for each pair, no contrastive path.

    loss = mean over i of -log( exp s(i, i) / (exp s(i, i) + sum over false texts j of exp s(i, j)) ),
    as published, but with false texts drawn from the batch. Where it has none for image i, the term is
    -log sigmoid s(i, i).
    """

    paths = (MATCHING,)
    # Every image is fused with every text of its gallery: a retain set as one gallery would take days.
    largest_gallery = 200

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, 2) logits: 0 for unrelated, the rank score for belonging together."""
        score = self.output(fused)
        return torch.cat([torch.zeros_like(score), score], 1)

    def association(
        self, a: EncoderOutput, b: EncoderOutput, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return rank score of n aligned pairs: the head's log-odds."""
        return {MATCHING: self.head(self.fuse(a, b))[:, 1]}

    def forward_encoded(self, a: EncoderOutput, b: EncoderOutput, targets: Targets) -> ModelOutput:
        """Return ranking loss of b pairs."""
        own = torch.arange(len(a), device=targets.related.device)
        images, texts = false_texts(targets.related, self._false_texts)
        fused = self.fuse(a[torch.cat([own, images])], b[torch.cat([own, texts])])
        logits = self.head(fused)
        return ModelOutput(
            loss=ranking_loss(logits[: len(a), 1], logits[len(a) :, 1], images),
            logits={MATCHING: logits[: len(a)]},
            unimodal={"image": a.pooled, "text": b.pooled},
            fused=fused[: len(a)],
        )


class ViltClassifier(_ViltTrunk, ClassificationModel):
    """Implements ViLT for a class of one image or several with a text, as in NLVR2: a two-layer head."""

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, classes) logits."""
        logits: Tensor = self.output(fused)
        return logits


def false_texts(related: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Draw up to ``count`` different unrelated texts for each image of a batch, all equally likely.

    Args:
        related: (b, b) bool.
        count: texts an image; all where there are fewer.

    Returns:
        The images, ascending, and the texts drawn for them: two vectors of equal length.
    """
    order = torch.rand(related.shape, device=related.device).masked_fill(related, -1.0)
    keys, texts = order.topk(min(count, related.shape[1]), dim=1)
    images, places = (keys >= 0).nonzero(as_tuple=True)
    return images, texts[images, places]


def ranking_loss(true: Tensor, false: Tensor, images: Tensor) -> Tensor:
    """Return cross-entropy of each true pair's score among its image's false ones, or against 0.

    Args:
        true: (b,) scores of the true pairs.
        false: (f,) scores of false pairs.
        images: (f,) which of the b images each false pair is of, ascending.

    Returns:
        Scalar.
    """
    counts = torch.bincount(images, minlength=len(true))
    width = max(int(counts.max()), 1)
    taken = torch.arange(width, device=true.device) < counts[:, None]
    others = torch.full(taken.shape, float("-inf"), dtype=true.dtype, device=true.device)
    others[counts == 0, 0] = 0.0
    others = others.masked_scatter(taken, false)
    return nn.functional.softplus(others.logsumexp(1) - true).mean()


def widen(embeddings: Any, kinds: int) -> None:
    """Give further images of a group the modality embedding of the last, as the authors do for NLVR2.

    Args:
        embeddings: transformers' ``ViltEmbeddings``.
        kinds: number of modality embeddings: one for texts, and one for each image of a group.
    """
    weight = embeddings.token_type_embeddings.weight.detach()
    if missing := max(kinds - len(weight), 0):
        rows = torch.cat([weight, weight[-1:].expand(missing, -1)])
        embeddings.token_type_embeddings = nn.Embedding(len(rows), rows.shape[1], _weight=rows)


def fresh_head(width: int, shape: TaskShape) -> nn.Module:
    """Return a head in the published form: one layer to rank, two for classes.

    Args:
        width: width of a token; the hidden layer for classes has at least twice as many units.
        shape: what the task asks of the model.
    """
    given = shape.group * width
    if not shape.classes:
        return _linear(given, 1)
    hidden = max(shape.group, 2) * width
    return nn.Sequential(
        _linear(given, hidden), nn.LayerNorm(hidden), nn.GELU(), _linear(hidden, shape.classes)
    )


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer
