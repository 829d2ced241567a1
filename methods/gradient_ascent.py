"""Gradient ascent on the forget set (NegGrad)."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from mmulbench import METHODS, Batch, MultimodalModel, OneSetMethod, UnlearningProblem


@METHODS.register("gradient_ascent")
class GradientAscent(OneSetMethod):
    """L = -CE(Df), CE the task's own loss (NegGrad, a baseline of arXiv 2311.12047).

    Nothing holds the rest of the model in place: long runs destroy it, and it may diverge.
    """

    reads: ClassVar[Literal["forget", "retain"]] = "forget"

    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return minus the task's own loss on a batch of Df."""
        return -model(batch).loss
