"""The rules that every backbone must hold to, tried on made-up items for each kind of task it serves."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import get_args

import torch

from mmulbench.conformance.backbone_trial import BackboneTrial
from mmulbench.conformance.checks import Check, ContractViolation, demand, is_frozen
from mmulbench.conformance.global_randomness import global_seeds
from mmulbench.conformance.model_checks import MODEL_CHECKS, is_finite, listed
from mmulbench.core.backbone import RawItems, TaskKind
from mmulbench.core.model import CONTRASTIVE, MATCHING, RetrievalModel
from mmulbench.core.registry import BACKBONES


def backbone_checks() -> list[Check]:
    """Return everything a backbone must hold to, in the order in which to read it."""
    return [
        Check(says_what_it_is, once=True),
        Check(variants_can_be_recorded, once=True),
        Check(identity_tells_variants_apart, once=True),
        *(Check(run) for run in (*BACKBONE_CHECKS, *MODEL_CHECKS)),
    ]


def says_what_it_is(trial: BackboneTrial) -> None:
    """It has a description, its registered name, two modalities, variants, and kinds of task to serve."""
    cls = type(trial.backbone)
    demand(
        cls.name in BACKBONES.names() and BACKBONES.get(cls.name) is cls,
        f"{cls.__name__}.name is {cls.name!r}: give it the name that the class is registered under",
    )
    demand(bool(BACKBONES.describe(cls.name).strip()), "write a docstring: its first line is what lists show")
    demand(
        len(cls.modalities) == 2 and all(isinstance(name, str) for name in cls.modalities),
        f"{cls.__name__}.modalities is {cls.modalities!r}: give two names, such as ('image', 'text')",
    )
    kinds = get_args(TaskKind)
    demand(
        bool(cls.serves) and set(cls.serves) <= set(kinds),
        f"{cls.__name__}.serves is {cls.serves!r}: name one or more of {', '.join(kinds)}",
    )
    demand(bool(cls.variants), f"{cls.__name__}.variants is empty: the first variant is the default")


def variants_can_be_recorded(trial: BackboneTrial) -> None:
    """Every variant is a frozen dataclass of what JSON can hold."""
    cls = type(trial.backbone)
    for name, config in cls.variants.items():
        demand(
            is_frozen(type(config)), f"the variant {name} is no frozen dataclass: use @dataclass(frozen=True)"
        )
        try:
            json.dumps(asdict(config), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ContractViolation(
                f"the variant {name} cannot be recorded ({error}): use numbers, strings, switches and tuples"
            ) from error


def identity_tells_variants_apart(trial: BackboneTrial) -> None:
    """Its identity is the same for a new object, and no two variants share one."""
    cls = type(trial.backbone)
    texts = {name: _as_json(cls(name).identity) for name in cls.variants}
    again = {name: _as_json(cls(name).identity) for name in cls.variants}
    demand(texts == again, "the identity of a variant changes from object to object: make it of its settings")
    owners: dict[str, str] = {}
    for name, text in texts.items():
        demand(
            text not in owners,
            f"the variants {owners.get(text)} and {name} have the same identity, so caches would mix them up",
        )
        owners[text] = name


def prepares_a_row_for_each_item(trial: BackboneTrial) -> None:
    """The inputs it prepares are finite, with a row for each image, text or node."""
    for modality, items in trial.items.items():
        parts = _parts(items)
        inputs = trial.inputs[modality]
        rows = {name: value for name, value in inputs.items() if name not in trial.backbone.whole}
        demand(bool(rows), f"nothing prepared of {modality} belongs to single items: name less in `whole`")
        for name, value in rows.items():
            demand(
                value.ndim > 0 and len(value) == parts,
                f"{name} of {modality} has shape {tuple(value.shape)} for {parts} items: the first dimension "
                "must run over images, texts or nodes, or `whole` must name it",
            )
        for name, value in inputs.items():
            demand(is_finite(value), f"{name} of {modality} is infinite or NaN")


def prepares_the_same_again(trial: BackboneTrial) -> None:
    """It prepares the same inputs again, whatever the global random seeds are."""
    for modality, items in trial.items.items():
        with global_seeds(987_654_321):
            again = trial.prepare(modality, items)
        for name, value in trial.inputs[modality].items():
            demand(
                name in again and torch.equal(value, again[name]),
                f"{name} of {modality} differs when prepared again: prepared inputs are cached, so draw "
                "nothing at random and train nothing",
            )


def draws_weights_by_the_seed(trial: BackboneTrial) -> None:
    """The same seed gives the same weights, and another seed others."""
    first = trial.build(0).state_dict()
    with global_seeds(987_654_321):
        again = trial.build(0).state_dict()
    moved = [
        name for name, value in first.items() if name not in again or not torch.equal(value, again[name])
    ]
    demand(
        not moved and len(first) == len(again),
        f"{listed(moved) or 'the set of weights'} differs when built again: draw from torch's generator",
    )
    other = trial.build(1).state_dict()
    demand(
        trial.backbone.variant not in trial.backbone.variants
        or any(not torch.equal(value, other[name]) for name, value in first.items()),
        "another seed gives the same weights: leave torch's global generator as it is seeded",
    )


@torch.no_grad()
def states_its_rule_of_reranking(trial: BackboneTrial) -> None:
    """A model with a contrastive and a matching path says how candidates are ordered, each by itself."""
    model = trial.model
    if not (isinstance(model, RetrievalModel) and {CONTRASTIVE, MATCHING} <= set(model.paths)):
        return
    a, b = model.encode_batch(trial.batch())
    similarity, logits = model.similarity(a.pooled, b.pooled).diagonal(), model.head(model.fuse(a, b))
    try:
        scores = model.rerank(similarity, logits)
    except NotImplementedError as error:
        raise ContractViolation(
            f"{error}, the rule of the model's publication, such as the matching logit alone"
        ) from None
    demand(
        scores.shape == similarity.shape and is_finite(scores),
        f"rerank gives {tuple(scores.shape)} for {len(similarity)} candidates: give each one finite score",
    )
    alone = torch.cat([model.rerank(similarity[[i]], logits[[i]]) for i in range(len(similarity))])
    demand(
        torch.allclose(alone, scores, atol=1e-4 * max(1.0, float(scores.abs().max()))),
        "rerank's score of a candidate depends on the other candidates: judge each by itself",
    )
    surer = model.rerank(similarity, logits + logits.new_tensor([0.0, 1.0]))
    demand(bool((surer > scores).all()), "rerank does not rise with the logit of belonging together")


BACKBONE_CHECKS = (
    prepares_a_row_for_each_item,
    prepares_the_same_again,
    draws_weights_by_the_seed,
    states_its_rule_of_reranking,
)
"""Checks of what a backbone prepares and builds, tried on every kind of task."""


def _as_json(identity: object) -> str:
    return json.dumps(identity, sort_keys=True)


def _parts(items: RawItems) -> int:
    return len(items.images if items.images is not None else items.texts or ())
