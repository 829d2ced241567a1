"""A good backbone with plain models, and trying the checks of the contract on what it is made into."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from mmulbench.backbones._aligned_retrieval import AlignedRetrieval
from mmulbench.conformance.backbone_checks import backbone_checks
from mmulbench.conformance.backbone_trial import trials_of
from mmulbench.conformance.checks import Outcome, run_check
from mmulbench.core.backbone import Backbone, TaskShape
from mmulbench.core.model import ClassificationModel, EncoderOutput
from mmulbench.core.registry import BACKBONES

NAME = "backbone_of_a_check"
WIDTH, LENGTH = 8, 8


@dataclass(frozen=True)
class PlainConfig:
    words: int = 1000


class PlainModel(ClassificationModel):
    """Colours of an image's quarters, and a bag of words: a good model."""

    modalities = ("image", "text")

    def __init__(self, config: PlainConfig, shape: TaskShape) -> None:
        super().__init__()
        self.colours = nn.Linear(3, WIDTH)
        self.places = nn.Parameter(torch.randn(shape.group, 4, WIDTH))
        self.words = nn.Embedding(config.words, WIDTH)
        self.joined = nn.Linear(2 * WIDTH, WIDTH)
        self.classes = nn.Linear(WIDTH, shape.classes)

    def encode(self, modality, inputs):
        if modality == "text":
            return self.encode_text(inputs["ids"], inputs["mask"])
        colours = inputs["colours"].reshape(-1, *self.places.shape[:2], 3)
        tokens = (self.colours(colours) * self.places).tanh().flatten(1, 2)
        return EncoderOutput(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool), tokens.mean(1))

    def encode_text(self, ids, mask):
        tokens = self.words(ids)
        return EncoderOutput(tokens, mask, mean(tokens, mask))

    def fuse(self, a, b):
        return self.joined(torch.cat([mean(a.tokens, a.mask), mean(b.tokens, b.mask)], 1)).tanh()

    def head(self, fused):
        return self.classes(fused)

    def fusion_parameters(self):
        return [*self.joined.parameters(), *self.classes.parameters()]


def mean(tokens, mask):
    return (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


class Plain(Backbone):
    """Builds a plain model."""

    name = NAME
    modalities = ("image", "text")
    serves: ClassVar[tuple[Any, ...]] = ("classification", "group classification")
    variants: ClassVar = {"tiny": PlainConfig(), "wordy": PlainConfig(2000)}
    model: type[PlainModel | RankingModel] = PlainModel

    def prepare(self, modality, items, track):
        if modality == "text":
            ids = torch.zeros(len(items.texts), LENGTH, dtype=torch.int64)
            for row, text in enumerate(items.texts):
                words = [1 + zlib.crc32(word.encode()) % (self.config.words - 1) for word in text.split()]
                ids[row, : len(words)] = torch.tensor(words)
            return {"ids": ids, "mask": ids > 0}
        quarters = items.images.reshape(-1, 2, 16, 2, 16, 3).mean((2, 4)).reshape(-1, 4, 3)
        return {"colours": torch.from_numpy(quarters / 255).float()}

    def build(self, shape=TaskShape()):  # noqa: B008 (frozen)
        return self.model(self.config, shape)


def with_model(**methods):
    """A plain backbone whose model has other methods."""
    return type("Planted", (Plain,), {"model": type("PlantedModel", (PlainModel,), methods)})


class RankingModel(AlignedRetrieval):
    """The same encoders and fusion, to rank by both paths."""

    modalities = PlainModel.modalities
    encode = PlainModel.encode
    encode_text = PlainModel.encode_text
    fuse = PlainModel.fuse

    def __init__(self, config: PlainConfig, shape: TaskShape) -> None:
        super().__init__()
        self.colours = nn.Linear(3, WIDTH)
        self.places = nn.Parameter(torch.randn(shape.group, 4, WIDTH))
        self.words = nn.Embedding(config.words, WIDTH)
        self.joined = nn.Linear(2 * WIDTH, WIDTH)
        self.image_embedding, self.text_embedding = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.matching = nn.Linear(WIDTH, 2)

    def rerank(self, similarity, logits):
        return logits[:, 1] + similarity

    def fusion_parameters(self):
        return [*self.joined.parameters(), *self.matching.parameters()]


class Ranking(Plain):
    """Builds a plain model that ranks."""

    serves = ("retrieval",)
    model = RankingModel


def outcomes_of(cls: type[Backbone]) -> dict[str, Outcome]:
    """The outcomes of all checks by name."""
    BACKBONES.register(NAME)(cls)
    try:
        trials = trials_of(cls("tiny"))
        return {check.name: run_check(check, trials) for check in backbone_checks()}
    finally:
        BACKBONES.discard(NAME)


def assert_found_alone(
    violation: tuple[type[Backbone], str, str], also: str | frozenset[str] = frozenset()
) -> None:
    """A violation is found by its check, for its reason, and by no other check but these.

    Args:
        violation: the backbone, the check, and what its reason says.
        also: what else must fail; words where that is much.
    """
    cls, name, reason = violation
    outcomes = outcomes_of(cls)
    assert outcomes[name].status == "failed" and reason in outcomes[name].reason, outcomes[name]
    assert "\n" not in outcomes[name].reason
    failed = {check for check, outcome in outcomes.items() if outcome.status == "failed"}
    if isinstance(also, str):
        assert failed > {name}
    else:
        assert failed == {name} | also
