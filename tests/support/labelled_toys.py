"""Toys with classes or with a single association path, for methods that treat them differently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn
from toys import CPU, Toy, numbered_features, toy_problem

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Features, Split
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import ClassificationModel, EncoderOutput, ModelOutput
from mmulbench.core.original_outputs import OriginalOutputs


class LabelledToy(ClassificationModel):
    """Logits of three classes: (image * text, 0), each map the identity at first."""

    modalities = ("image", "text")

    def __init__(self):
        super().__init__()
        for name in ("image", "text", "fusion"):
            layer = nn.Linear(2, 2, bias=False)
            layer.weight.data = torch.eye(2)
            self.add_module(name, layer)
        self.classes = nn.Linear(2, 3, bias=False)
        self.classes.weight.data = torch.eye(3, 2)

    def encode(self, modality, inputs):
        vector = getattr(self, modality)(inputs["x"])
        return EncoderOutput(vector[:, None], torch.ones(len(vector), 1, dtype=torch.bool), vector)

    def fuse(self, a, b):
        return self.fusion(a.tokens[:, 0] * b.tokens[:, 0])

    def head(self, fused):
        return self.classes(fused)

    def fusion_parameters(self):
        return [self.fusion.weight, self.classes.weight]


class OnePath(Toy):
    """A toy that knows only one of its association paths."""

    def __init__(self, path: str):
        super().__init__()
        self.paths = (path,)

    def association(self, a, b, labels=None):
        return {name: value for name, value in super().association(a, b).items() if name in self.paths}

    def forward_encoded(self, a, b, targets):
        logits, fused = self.logits(a, b, self.fuse(a, b)), self.fuse(a, b)
        ((path, values),) = logits.items()
        target = torch.arange(len(a)) if path == "contrastive" else torch.ones(len(a), dtype=torch.long)
        loss = nn.functional.cross_entropy(values, target)
        return ModelOutput(loss, logits, {"image": a.pooled, "text": b.pooled}, fused)


def seeded_features(count: int) -> Features:
    rng = np.random.default_rng(5)
    features = numbered_features(count)
    for name in ("image", "text"):
        features.arrays[name]["x"] = torch.from_numpy(rng.normal(size=(count, 2)).astype(np.float32))
    return features


def labelled_problem(
    labels=(0, 1, 2, 0, 1, 2, 0),
    forget=(0, 1, 2, 3, 4),
    features: Features | None = None,
    more: tuple[tuple[int, int], ...] = (),
) -> UnlearningProblem:
    """Item i goes with text i and has the i-th label, and with the texts of ``more``; the last pair is for
    validation."""
    count = len(labels)
    pairs = tuple((i, i) for i in range(count))
    training = (*pairs[:-1], *more)
    model = LabelledToy().eval().requires_grad_(False)
    features = features or seeded_features(count)
    given = toy_problem(pairs=training, forget=forget, features=features, held_out=pairs[-1:])

    def labelled(data):
        split = data.split
        label = np.array(labels)[split.first]
        return replace(data, split=Split(split.first, split.second, label, split.rows))

    meter = CostMeter(CPU)
    first, second = np.array(training).T
    train = Split(first, second, np.array(labels)[first])
    return replace(
        given,
        original=model,
        forget=labelled(given.forget),
        retain=labelled(given.retain),
        validation=labelled(given.validation),
        outputs=OriginalOutputs(model, train, features, lambda compute: compute(), meter),
        fresh_model=lambda seed: LabelledToy(),
        meter=meter,
    )
