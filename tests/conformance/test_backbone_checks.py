"""Each check of the contract of backbones finds what it is there for, and says what to do."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from mmulbench.backbones._aligned_retrieval import AlignedRetrieval
from mmulbench.conformance.backbone_checks import backbone_checks
from mmulbench.conformance.backbone_trial import TASKS_TO_TRY, trials_of
from mmulbench.conformance.checks import run_check
from mmulbench.core.backbone import Backbone, TaskShape
from mmulbench.core.model import ClassificationModel, EncoderOutput, RetrievalModel
from mmulbench.core.registry import BACKBONES
from mmulbench.seeds import torch_seeded

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


def reranking_by(rule):
    """A backbone that ranks by another rule."""
    return type("Planted", (Ranking,), {"model": type("PlantedModel", (RankingModel,), {"rerank": rule})})


class Misnamed(Plain):
    name = "another"


class Idle(Plain):
    serves = ("ranking",)


class Nested(Plain):
    @dataclass(frozen=True)
    class Config(PlainConfig):
        layers: object = field(default_factory=object)

    variants: ClassVar = {"tiny": Config()}
    identity: ClassVar = {"name": f"{NAME}:tiny"}


class Melted(Plain):
    @dataclass
    class Config:
        words: int = 1000

    variants: ClassVar = {"tiny": Config()}


class Alike(Plain):
    @property
    def identity(self):
        return {"name": NAME}


class Restless(Plain):
    @property
    def identity(self):
        return {**super().identity, "drawn": np.random.default_rng().random()}


class Extra(Plain):
    """Prepares one input more, which no model reads."""

    def extra(self, count):
        return torch.zeros(count)

    def prepare(self, modality, items, track):
        found = super().prepare(modality, items, track)
        return {**found, "extra": self.extra(len(next(iter(found.values()))))}


class Longer(Extra):
    def extra(self, count):
        return torch.zeros(count + 1)


class Hollow(Extra):
    def extra(self, count):
        return torch.full((count,), torch.inf)


class Sparkling(Extra):
    def extra(self, count):
        return torch.from_numpy(np.random.rand(count))


class Stubborn(Plain):
    def build(self, shape=TaskShape()):  # noqa: B008 (frozen)
        with torch_seeded(0, "always"):
            return super().build(shape)


class Astray(Plain):
    def build(self, shape=TaskShape()):  # noqa: B008 (frozen)
        model = super().build(shape)
        model.words.weight.data.copy_(torch.from_numpy(np.random.normal(size=model.words.weight.shape)))
        return model


class Boastful(Plain):
    serves = ("retrieval", "classification")


def wide_head(self, fused):
    return torch.cat([self.classes(fused)] * 2, 1)


def float_mask(self, ids, mask):
    found = PlainModel.encode_text(self, ids, mask)
    return replace(found, mask=found.mask.float())


def scaled_by_the_batch(self, a, b, targets):
    output = PlainModel.forward_encoded(self, a, b, targets)
    return replace(output, loss=output.loss * a.pooled.std(0).mean())


class Spare(PlainModel):
    def __init__(self, config, shape):
        super().__init__(config, shape)
        self.spare = nn.Linear(2, 2)


class Frozen(PlainModel):
    def __init__(self, config, shape):
        super().__init__(config, shape)
        self.words.requires_grad_(False)


class Hidden(PlainModel):
    def __init__(self, config, shape):
        super().__init__(config, shape)
        self.shift = torch.randn(WIDTH)

    def fuse(self, a, b):
        return super().fuse(a, b) + self.shift


def skimming(self, ids, mask):
    found = PlainModel.encode_text(self, ids, mask)
    return replace(found, pooled=found.tokens[:, 0])


def half_blind(self, a, b):
    return PlainModel.fuse(self, replace(a, tokens=a.tokens[:, 1:], mask=a.mask[:, 1:]), b)


def placeless(self, modality, inputs):
    found = PlainModel.encode(self, modality, inputs)
    if modality == "text" or len(self.places) == 1:
        return found
    tokens = self.colours(inputs["colours"]).sum(1).repeat(1, 2, 1) * self.places.sum()
    return replace(found, tokens=tokens, pooled=tokens.mean(1))


def careless_encoder(self, ids, mask):
    tokens = self.words(ids)
    return EncoderOutput(tokens, mask, tokens.mean(1))


def careless_fusion(self, a, b):
    return PlainModel.fuse(self, a, replace(b, mask=torch.ones_like(b.mask)))


def centred(self, modality, inputs):
    found = PlainModel.encode(self, modality, inputs)
    return replace(found, tokens=found.tokens - found.tokens.mean((0, 1)))


def wasteful(self, a, b):
    torch.rand(())
    return PlainModel.fuse(self, a, b)


def wavering(self, fused):
    return self.classes(fused) + torch.rand(len(fused), len(self.classes.bias))


def optimistic(self, a, b, labels=None):
    found = PlainModel.association(self, a, b, labels)
    return {path: value + 1 for path, value in found.items()}


def trained_otherwise(self, a, b, targets):
    output = PlainModel.forward_encoded(self, a, b, targets)
    return replace(output, unimodal={**output.unimodal, "text": b.tokens[:, 0]})


def greedy(self):
    return [*PlainModel.fusion_parameters(self), self.places]


def modest(self):
    return list(self.joined.parameters())


VIOLATIONS = {
    "another name": (Misnamed, "says_what_it_is", "Misnamed.name is 'another': give it the name"),
    "unknown kinds": (Idle, "says_what_it_is", "Idle.serves is ('ranking',): name one or more of"),
    "mutable variants": (Melted, "variants_can_be_recorded", "the variant tiny is no frozen dataclass"),
    "objects as settings": (Nested, "variants_can_be_recorded", "the variant tiny cannot be recorded"),
    "shared identity": (Alike, "identity_tells_variants_apart", "tiny and wordy have the same identity"),
    "random identity": (Restless, "identity_tells_variants_apart", "changes from object to object"),
    "rows too many": (Longer, "prepares_a_row_for_each_item", "extra of image has shape (5,) for 4 items"),
    "infinite inputs": (Hollow, "prepares_a_row_for_each_item", "extra of image is infinite or NaN"),
    "random inputs": (Sparkling, "prepares_the_same_again", "extra of image differs when prepared again"),
    "one seed for all": (Stubborn, "draws_weights_by_the_seed", "another seed gives the same weights"),
    "NumPy's seed": (Astray, "draws_weights_by_the_seed", "words.weight differs when built again"),
    "a kind too many": (Boastful, "serves_the_kinds_it_names", "returned a PlainModel for retrieval: extend"),
    "a wide head": (with_model(head=wide_head), "serves_the_kinds_it_names", "head is (4, 6), not (4, 3)"),
    "a float mask": (
        with_model(encode_text=float_mask),
        "serves_the_kinds_it_names",
        "text is torch.float32",
    ),
    "a batch of one": (
        with_model(forward_encoded=scaled_by_the_batch),
        "gives_finite_numbers",
        "loss of a batch of one pair is infinite or NaN",
    ),
    "an unused layer": (
        type("Planted", (Plain,), {"model": Spare}),
        "trains_every_parameter",
        "spare.weight and 1 more never learns: use it",
    ),
    "a frozen layer": (
        type("Planted", (Plain,), {"model": Frozen}),
        "trains_every_parameter",
        "words.weight wants no gradient: what never trains belongs in prepare",
    ),
    "an encoder in the fusion group": (
        with_model(fusion_parameters=greedy),
        "names_its_fusion_parameters",
        "places is in fusion_parameters, but encoding uses it",
    ),
    "no head in the fusion group": (
        with_model(fusion_parameters=modest),
        "names_its_fusion_parameters",
        "classes.bias and 1 more is used behind the encoders",
    ),
    "one word alone": (
        with_model(encode_text=skimming),
        "reads_every_part",
        "word 2 of 7 and 5 more of text never reaches the unimodal representation",
    ),
    "a blind quarter": (
        with_model(fuse=half_blind),
        "reads_every_part",
        "the upper left quarter of image never reaches the fused representation",
    ),
    "places alike": (with_model(encode=placeless), "keeps_places_apart", "swapped is the same"),
    "padding in the encoder": (
        with_model(encode_text=careless_encoder),
        "ignores_padding",
        "the inputs of text at places that their mask leaves out reach the encoder's output",
    ),
    "padding in the fusion": (
        with_model(fuse=careless_fusion),
        "ignores_padding",
        "tokens that the mask leaves out reach the fused representation",
    ),
    "the mean of the batch": (
        with_model(encode=centred),
        "judges_each_pair_by_itself",
        "of a pair depends on the other pairs of its batch",
    ),
    "random numbers unused": (
        with_model(fuse=wasteful),
        "evaluates_the_same_again",
        "judging pairs moved the global generator of torch",
    ),
    "random logits": (with_model(head=wavering), "evaluates_the_same_again", "differs when asked for again"),
    "another association": (
        with_model(association=optimistic),
        "agrees_with_itself",
        "is not that of its logits",
    ),
    "another unimodal output": (
        with_model(forward_encoded=trained_otherwise),
        "agrees_with_itself",
        "another unimodal representation of text than encode",
    ),
    "no rule of re-ranking": (
        reranking_by(RetrievalModel.rerank),
        "states_its_rule_of_reranking",
        "PlantedModel states no rule of re-ranking: define rerank, the rule of the model's publication",
    ),
    "a score for all candidates": (
        reranking_by(lambda self, similarity, logits: logits[:, 1].sum()),
        "states_its_rule_of_reranking",
        "rerank gives () for 4 candidates",
    ),
    "candidates that are compared": (
        reranking_by(lambda self, similarity, logits: logits[:, 1].softmax(0)),
        "states_its_rule_of_reranking",
        "depends on the other candidates",
    ),
    "a match that is no help": (
        reranking_by(lambda self, similarity, logits: similarity),
        "states_its_rule_of_reranking",
        "does not rise with the logit",
    ),
    "weights outside the state dict": (
        type("Planted", (Plain,), {"model": Hidden}),
        "is_its_weights",
        "differs in a model with the same state dict",
    ),
}

ALSO = {
    "unknown kinds": "all that builds a model for retrieval",
    "a kind too many": "all that builds a model for retrieval",
    "a float mask": "all that reads the mask",
    "the mean of the batch": {"ignores_padding"},
    "random logits": {"judges_each_pair_by_itself", "agrees_with_itself", "is_its_weights"},
}
"""What else such a backbone must fail."""


@pytest.fixture
def outcomes_of():
    """The outcomes of all checks by name."""

    def make(cls):
        BACKBONES.register(NAME)(cls)
        trials = trials_of(cls("tiny"))
        return {check.name: run_check(check, trials) for check in backbone_checks()}

    yield make
    BACKBONES.discard(NAME)


def test_a_good_model_that_ranks_passes_everything(outcomes_of):
    outcomes = outcomes_of(Ranking)
    assert [name for name, found in outcomes.items() if found.status != "passed"] == ["keeps_places_apart"]
    assert outcomes["keeps_places_apart"].status == "skipped"


def test_a_good_backbone_passes_everything(outcomes_of):
    outcomes = outcomes_of(Plain)
    assert {outcome.status for outcome in outcomes.values()} == {"passed"}
    everywhere = outcomes["serves_the_kinds_it_names"]
    assert everywhere.on == ("classification", "group classification") and not everywhere.left_out


@pytest.mark.parametrize("planted", VIOLATIONS)
def test_a_violation_is_found_by_its_check_alone(planted, outcomes_of):
    cls, name, reason = VIOLATIONS[planted]
    outcomes = outcomes_of(cls)
    assert outcomes[name].status == "failed" and reason in outcomes[name].reason, outcomes[name]
    assert "\n" not in outcomes[name].reason
    failed = {check for check, outcome in outcomes.items() if outcome.status == "failed"}
    also = ALSO.get(planted, set())
    if isinstance(also, str):
        assert failed > {name}
    else:
        assert failed == {name} | also


def test_every_check_has_a_violation():
    assert {name for _, name, _ in VIOLATIONS.values()} == {check.name for check in backbone_checks()}


def test_the_tasks_to_try_are_of_every_kind():
    assert {shape.kind for shape in TASKS_TO_TRY.values()} == {
        "retrieval",
        "classification",
        "group classification",
    }
    assert {shape.group for shape in TASKS_TO_TRY.values()} == {1, 2}
