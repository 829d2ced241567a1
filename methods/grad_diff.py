"""Gradient difference: up on the forget set, down on the retain set, with equal weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    GradientConfig,
    GradientMethod,
    MultimodalModel,
    Search,
    UnlearningProblem,
)


@METHODS.register("grad_diff")
class GradDiff(GradientMethod):
    """L = -gamma * CE(Df) + alpha * CE(Dr), CE the task's own loss (arXiv 2203.12817).

    Liu et al. 2022; named gradient difference and used as a baseline by TOFU (arXiv 2401.06121). Unlike in
    NegGrad+, both sets weigh the same; -CE(Df) has no lower bound, so long runs may diverge.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Both weights are those of the OpenUnlearning code; the rest is shared by all methods.

        Attributes:
            gamma: weight of the forget set.
            alpha: weight of the retain set.
        """

        gamma: Annotated[float, Field(ge=0), Search(0.01, 10.0, log=True)] = 1.0
        alpha: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0

    config: Config

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the weighted difference on a batch of each set."""
        config = self.config
        return config.alpha * model(retain).loss - config.gamma * model(forget).loss
