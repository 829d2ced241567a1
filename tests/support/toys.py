"""Models and problems small enough to compute by hand."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Features, PairData, Relations, Split
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import EncoderOutput, ModelOutput, RetrievalModel
from mmulbench.core.original_outputs import OriginalOutputs
from mmulbench.core.training import Recipe
from mmulbench.evaluation.pair_losses import EncodedPairs
from mmulbench.progress import Progress

CPU = torch.device("cpu")


class Toy(RetrievalModel):
    """Every map is a 2 x 2 matrix, the identity at first; fused = fusion(image * text)."""

    modalities = ("image", "text")

    def __init__(self):
        super().__init__()
        for name in ("image", "text", "fusion", "matching"):
            layer = nn.Linear(2, 2, bias=False)
            layer.weight.data = torch.eye(2)
            self.add_module(name, layer)

    def encode(self, modality, inputs):
        vector = getattr(self, modality)(inputs["x"])
        return EncoderOutput(vector[:, None], torch.ones(len(vector), 1, dtype=torch.bool), vector)

    def fuse(self, a, b):
        return self.fusion(a.tokens[:, 0] * b.tokens[:, 0])

    def head(self, fused):
        return self.matching(fused)

    def similarity(self, a, b):
        return a @ b.T

    def association(self, a, b, labels=None):
        logits = self.head(self.fuse(a, b))
        return {"contrastive": (a.pooled * b.pooled).sum(-1), "matching": logits[:, 1] - logits[:, 0]}

    def rerank(self, similarity, logits):
        return similarity + logits[..., 1] - logits[..., 0]

    def forward_encoded(self, a, b, targets):
        """Cross-entropy of each image's own text among the batch's, plus that of matching."""
        fused = self.fuse(a, b)
        logits = {"contrastive": self.similarity(a.pooled, b.pooled), "matching": self.head(fused)}
        ce = nn.functional.cross_entropy
        own, yes = torch.arange(len(a)), torch.ones(len(a), dtype=torch.long)
        loss = ce(logits["contrastive"], own) + ce(logits["matching"], yes)
        return ModelOutput(loss, logits, {"image": a.pooled, "text": b.pooled}, fused)

    def fusion_parameters(self):
        return [self.fusion.weight, self.matching.weight]


class Table(Toy):
    """Similarity and matching log-odds of images and texts are looked up in two tables."""

    def __init__(self, similarity: Tensor, log_odds: Tensor):
        super().__init__()
        self.tables = (similarity, log_odds)

    def encode(self, modality, inputs):
        number = inputs["x"][:, :1]
        return EncoderOutput(number[:, None], torch.ones(len(number), 1, dtype=torch.bool), number)

    def fuse(self, a, b):
        return self.tables[1][a.pooled[:, 0].long(), b.pooled[:, 0].long()][:, None]

    def head(self, fused):
        return torch.cat([torch.zeros_like(fused), fused], 1)

    def similarity(self, a, b):
        return self.tables[0][a[:, 0].long()][:, b[:, 0].long()]


def encoded_pairs(a: Tensor, b: Tensor, first: Tensor, second: Tensor) -> EncodedPairs:
    """Pairs of pooled outputs, which are their only tokens."""
    mask = torch.ones(len(a), 1, dtype=torch.bool)
    one, other = (EncoderOutput(side[:, None], mask, side) for side in (a, b))
    return EncodedPairs(one, other, first, second)


def toy_features(images, texts) -> Features:
    arrays = {"image": {"x": torch.tensor(images)}, "text": {"x": torch.tensor(texts)}}
    return Features({name: {"x": value["x"].float()} for name, value in arrays.items()}, CPU)


def numbered_features(count: int) -> Features:
    """Items that know their own index, as `Table` needs."""
    rows = [[float(i), 0.0] for i in range(count)]
    return toy_features(rows, rows)


def split_of(*pairs: tuple[int, int]) -> Split:
    return Split(*(np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True)))


SHARED = tuple(pair for i in range(6) for pair in ((i, i), (i, 6 + i // 2)))
"""Six images, each with a text of its own and one it shares with its neighbour."""


def random_features(held_out_texts: float = 1.0) -> Features:
    """Eight images and eleven texts; the last two texts, which only validation has, are scaled."""
    rng = np.random.default_rng(3)
    images, texts = rng.normal(size=(8, 2)).round(1), rng.normal(size=(11, 2)).round(1)
    texts[9:] *= held_out_texts
    return toy_features(images, texts)


def toy_problem(
    *,
    pairs=SHARED,
    forget=(0, 1),
    features: Features | None = None,
    original: Toy | None = None,
    held_out=((6, 9), (7, 10)),
    recipe=None,
) -> UnlearningProblem:
    train, validation = split_of(*pairs), split_of(*held_out)
    if features is None:
        features = random_features()
    relations = Relations(train, validation)
    model = (original or Toy()).eval().requires_grad_(False)
    meter = CostMeter(CPU)

    def data(split, sampling="unit"):
        return PairData(split, relations, features, Toy.modalities, sampling)

    units = np.array(forget)
    return UnlearningProblem(
        original=model,
        forget=data(train.only(units), "pair"),
        retain=data(train.without(units)),
        validation=data(validation),
        outputs=OriginalOutputs(model, train, features, lambda compute: compute(), meter),
        recipe=recipe or Recipe(epochs=2, lr=0.01, batch_size=2),
        seed=0,
        fresh_model=lambda seed: Toy(),
        meter=meter,
        progress=Progress(),
    )


TWO_PAIRS = toy_features([[1, 0], [0, 1], [1, 1]], [[1, 0], [0, 2], [1, 1]])


def two_pair_problem(forget=(2,)) -> UnlearningProblem:
    """Pairs 0 and 1 are one set, pair 2 the other."""
    pairs = ((0, 0), (1, 1), (2, 2))
    return toy_problem(pairs=pairs, forget=forget, features=TWO_PAIRS, held_out=((0, 0),))


def two_pair_loss() -> float:
    """The identity's loss on pairs 0 and 1.

    Similarities are [[1, 0], [0, 2]]; fused representations (1, 0) and (0, 2), whose class 1 is true.
    """
    contrastive = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2
    matching = (math.log(1 + math.exp(1)) + math.log(1 + math.exp(-2))) / 2
    return contrastive + matching


def whole(data: PairData):
    """All pairs of a set as one batch."""
    return data.batch(np.arange(len(data.split)))


def state_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(before: dict[str, Tensor], model: nn.Module) -> set[str]:
    """Names of the weights that are not bit for bit what they were."""
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
