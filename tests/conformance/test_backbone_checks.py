"""Each check of the contract of backbones finds what it is there for, and says what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
import torch
from plain_backbone import NAME, Plain, PlainConfig, Ranking, RankingModel, assert_found_alone, outcomes_of

from mmulbench.conformance.backbone_checks import backbone_checks
from mmulbench.conformance.backbone_trial import TASKS_TO_TRY
from mmulbench.conformance.model_checks import MODEL_CHECKS
from mmulbench.core.backbone import TaskShape
from mmulbench.core.model import RetrievalModel
from mmulbench.seeds import torch_seeded


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
}

ALSO = {"unknown kinds": "all that builds a model for retrieval"}
"""What else such a backbone must fail."""


def test_a_good_model_that_ranks_passes_everything():
    outcomes = outcomes_of(Ranking)
    assert [name for name, found in outcomes.items() if found.status != "passed"] == ["keeps_places_apart"]
    assert outcomes["keeps_places_apart"].status == "skipped"


def test_a_good_backbone_passes_everything():
    outcomes = outcomes_of(Plain)
    assert {outcome.status for outcome in outcomes.values()} == {"passed"}
    everywhere = outcomes["serves_the_kinds_it_names"]
    assert everywhere.on == ("classification", "group classification") and not everywhere.left_out


@pytest.mark.parametrize("planted", VIOLATIONS)
def test_a_violation_is_found_by_its_check_alone(planted):
    assert_found_alone(VIOLATIONS[planted], ALSO.get(planted, frozenset()))


def test_every_check_has_a_violation():
    own = {check.name for check in backbone_checks()} - {check.__name__ for check in MODEL_CHECKS}
    assert {name for _, name, _ in VIOLATIONS.values()} == own


def test_the_tasks_to_try_are_of_every_kind():
    assert {shape.kind for shape in TASKS_TO_TRY.values()} == {
        "retrieval",
        "classification",
        "group classification",
    }
    assert {shape.group for shape in TASKS_TO_TRY.values()} == {1, 2}
