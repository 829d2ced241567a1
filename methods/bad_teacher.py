"""Bad teacher: learn deleted pairs from an untrained model and the rest from the original."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    Descent,
    GradientConfig,
    MultimodalModel,
    PairData,
    Search,
    Split,
    UnlearningProblem,
)
from mmulbench.methods._paths import divergence, path_logits


@METHODS.register("bad_teacher")
class BadTeacher(Descent):
    """L = mean over pairs of KL(p_bad || p) on Df, KL(p_original || p) on 30 % of Dr (arXiv 2205.08096).

    Chundawat et al. 2023. KL is the mean over association paths, between probabilities at temperature T and
    scaled by T^2. The bad teacher has the original's initial weights: random ones, or those of the checkpoint
    that the backbone was built from, which may know deleted pairs from its own training. The part of Dr is
    drawn once; batches mix it with Df, as in the released code (vikram2000b/bad-teaching-unlearning). Its KL
    is a mean over classes too. Both are pairs whatever the recipe samples, as there: 5 % deleted are 15 % of
    what is seen. Where an epoch over Dr visits units, one over this mixture is therefore longer. On the
    contrastive path KL is over an image's texts alone.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Fraction and T are those of the released notebook; the rest is shared by all methods.

        Attributes:
            epochs: passes over Df and the drawn part of Dr.
            batch_size: pairs a step; 0: as many as the task's recipe has.
            fraction: pairs of Dr that are drawn, as a part of all its pairs.
            temperature: T.
        """

        fraction: Annotated[float, Field(gt=0, le=1), Search(0.1, 1.0)] = 0.3
        temperature: Annotated[float, Field(gt=0), Search(0.5, 4.0, log=True)] = 1.0

    config: Config

    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return batches that mix Df and the drawn part of Dr."""
        data, rng = self.mixture(problem), problem.generator("order")
        epochs, size = self.config.epochs, problem.batch_size(self.config.batch_size)
        return ((batch,) for _ in range(epochs) for batch in data.epoch(size, rng)), data.steps(size)

    def mixture(self, problem: UnlearningProblem) -> PairData:
        """Return all pairs of Df and a random part of Dr's as one set."""
        forget, retain = problem.forget.split, problem.retain.split
        count = max(round(self.config.fraction * len(retain)), 1)
        kept = problem.generator("kept").permutation(len(retain))[:count]
        label = None
        if forget.label is not None and retain.label is not None:
            label = np.concatenate([forget.label, retain.label[kept]])
        columns = ((forget.first, retain.first), (forget.second, retain.second), (forget.rows, retain.rows))
        first, second, rows = (np.concatenate([deleted, rest[kept]]) for deleted, rest in columns)
        return replace(problem.forget, split=Split(first, second, label, rows), sampling="pair")

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[[Batch], Tensor]:
        """Return ``loss`` with the bad teacher at hand."""
        bad = problem.fresh_model(problem.seed).eval().requires_grad_(False)
        return lambda batch: self.loss(model, bad, batch, problem)

    def loss(
        self, model: MultimodalModel, bad: MultimodalModel, batch: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the divergence of each pair from its own teacher.

        Args:
            model: model that trains.
            bad: the bad teacher.
            batch: pairs of Df and Dr.
            problem: gives the original's outputs, and says which pairs are deleted.

        Returns:
            A scalar in nats.
        """
        deleted = torch.from_numpy(np.isin(batch.first.numpy(), problem.forget.split.units))
        with torch.no_grad():
            wrong, right = path_logits(bad, batch), problem.outputs.logits(batch)
        chosen = deleted.to(problem.device)[:, None]
        teacher = {path: torch.where(chosen, wrong[path], right[path]) for path in right}
        return divergence(teacher, path_logits(model, batch), self.config.temperature)
