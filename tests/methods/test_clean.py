"""Clean scores: what they find where the answer is known, and what they may not look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import Toy, split_of, toy_features, toy_problem

from mmulbench.conformance.tiny_problems import tiny_problem
from mmulbench.conformance.tiny_tasks import TINY_TASKS
from mmulbench.core.original_outputs import OriginalOutputs
from mmulbench.methods._clean import clean_parts, clean_scores, ridge

KINDS = [kind.name for kind in TINY_TASKS]


class Watched(OriginalOutputs):
    """The original's outputs, which remembers what they were asked about."""

    def __init__(self, outputs: OriginalOutputs) -> None:
        vars(self).update(vars(outputs))
        self.asked: dict[str, set[int]] = {}

    def unimodal(self, modality: str, items: torch.Tensor) -> torch.Tensor:
        self.asked.setdefault(modality, set()).update(items.tolist())
        return super().unimodal(modality, items)


@pytest.mark.parametrize("kind", KINDS)
def test_the_original_is_asked_about_retained_items_alone(kind, monkeypatch):
    problem = tiny_problem(kind)
    watched = Watched(problem.outputs)
    _ = problem.outputs.unimodal(problem.original.modalities[0], torch.from_numpy(problem.retain.split.units))

    def refuse(*_: object) -> None:
        raise AssertionError("the original was run")

    for name in ("encode", "fuse", "forward"):
        monkeypatch.setattr(problem.original, name, refuse)
    scores = clean_scores(replace(problem, outputs=watched))
    assert scores.shape == (len(problem.forget.split),) and scores.isfinite().all()
    a, b = problem.original.modalities
    kept = {a: set(problem.retain.split.first.tolist()), b: set(problem.retain.split.second.tolist())}
    assert all(items <= kept[modality] for modality, items in watched.asked.items())
    assert (kind == "retrieval") == bool(watched.asked)


def test_pairs_that_fit_the_others_score_higher():
    """Texts are turned images; of four deleted pairs the first two fit, the others have each other's text."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(64, 2))
    texts = images @ np.array([[0.6, -0.8], [0.8, 0.6]])
    texts[[2, 3]] = -texts[[2, 3]]
    problem = toy_problem(
        pairs=[(i, i) for i in range(60)],
        forget=(0, 1, 2, 3),
        features=toy_features(images.tolist(), texts.tolist()),
        held_out=[(i, i) for i in range(60, 64)],
        original=Toy(),
    )
    scores = clean_scores(problem)
    assert scores[:2].min() > 0.9 and scores[2:].max() < -0.9


@pytest.mark.parametrize("kind", ["classification", "relations"])
def test_the_other_class_scores_the_opposite(kind):
    """Only where there are two classes; elsewhere the own class leads by less than another one does."""
    problem = tiny_problem(kind)
    split, known = problem.forget.split, problem.retain.split.label
    assert split.label is not None and known is not None
    classes = int(known.max()) + 1
    labels = [(split.label + turn) % classes for turn in range(classes)]
    turned = [replace(problem.forget, split=replace(split, label=label)) for label in labels]
    scores = [clean_scores(replace(problem, forget=forget)) for forget in turned]
    if classes == 2:
        torch.testing.assert_close(scores[0], -scores[1])
    else:
        assert ((torch.stack(scores) > 0).sum(0) == 1).all()


def test_ridge_by_hand():
    """Standardised, x is -1, 0, 1; its slope on y = 2x is shrunk by n * 1/4 of 2 in the denominator."""
    x, y = torch.tensor([[0.0], [1.0], [2.0]]).double(), torch.tensor([[1.0], [3.0], [5.0]]).double()
    found = ridge(x, y)(torch.tensor([[1.0], [2.0]]).double())
    assert found[:, 0].tolist() == pytest.approx([3.0, 3.0 + 4 / (2 + 0.75)])


def test_frozen_features_come_before_the_initial_model():
    """A graph's parts are two nodes' names, their neighbours' and theirs again; raw inputs take the model."""
    frozen, raw = tiny_problem("relations"), toy_problem()
    kinds = {name for name in ("names", "tokens") if name in frozen.retain.features.whole["graph"]}
    parts = clean_parts(frozen, "graph", frozen.forget.split.first)
    assert len(parts) == (6 if kinds else 1)
    (images,) = clean_parts(raw, "image", np.array([3, 1, 3]))
    assert torch.equal(images, raw.retain.features.gather("image", torch.tensor([3, 1, 3]))["x"].double())
    assert torch.equal(images[0], images[2])


def test_split_of_is_read_in_order():
    problem = toy_problem(forget=(0, 1))
    pairs = problem.forget.split
    turned = split_of(*reversed(list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))))
    scores = clean_scores(problem)
    again = clean_scores(replace(problem, forget=replace(problem.forget, split=turned)))
    torch.testing.assert_close(again, scores.flip(0))
