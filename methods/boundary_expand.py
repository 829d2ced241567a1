"""Boundary expanding: train deleted pairs into an extra class, then drop that class."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench import (
    CLASSIFICATION,
    METHODS,
    Batch,
    MultimodalModel,
    OneSetMethod,
    Task,
    UnlearningProblem,
    torch_seeded,
)


@METHODS.register("boundary_expand")
class BoundaryExpand(OneSetMethod):
    """L = CE(f'(x), shadow class) on Df, the shadow class dropped afterwards (Chen et al. 2023, 2303.11570).

    The paper deletes a whole class; here Df holds pairs of any class. The released code (its copy in
    TY-LEE-KR/Boundary-Unlearning-Code) adds the shadow class as one more row of the last layer; here it is a
    linear map of the fused representation, which is the same where the head is one layer, and needs no
    knowledge of heads that are more.
    """

    reads: ClassVar[Literal["forget", "retain"]] = "forget"

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Apply to classification alone."""
        if task.classes:
            return None
        return "boundary expanding adds a class and drops it; retrieval has no classes"

    def start(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return a copy of the original with a shadow class."""
        model = super().start(problem)
        with torch.no_grad():
            output = problem.meter.run("width", 1, model, problem.forget.batch(np.arange(1)))
            width = output.fused.shape[-1]
        with torch_seeded(problem.seed, "shadow class"):
            model.add_module("shadow", nn.Linear(width, 1).to(problem.device))
        return model

    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return the cross-entropy of the shadow class on a batch of Df."""
        output = model(batch)
        logits = output.logits[CLASSIFICATION]
        shadow = model.get_submodule("shadow")(output.fused)
        target = torch.full((len(batch),), logits.shape[1], device=logits.device)
        return nn.functional.cross_entropy(torch.cat([logits, shadow], 1), target)

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Train, then drop the shadow class."""
        model = super().unlearn(problem)
        del model.shadow
        return model
