"""NegGrad+: gradient ascent on the forget set, held in place by descent on the retain set."""

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


@METHODS.register("neggrad_plus")
class NegGradPlus(GradientMethod):
    """L = alpha * CE(Dr) - (1 - alpha) * CE(Df), CE the task's own loss (arXiv 2302.09880).

    A baseline of Kurmanji et al. 2023. An epoch walks over Dr; batches of Df are repeated beside it. Formula
    and order are those of the released code (meghdadk/SCRUB, train_negrad).
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Alpha is that of the released code's small-scale notebooks; the rest is shared by all methods.

        Attributes:
            alpha: weight of the retain set (released code: 0.9999 in all other notebooks).
        """

        alpha: Annotated[float, Field(ge=0, le=1), Search(0.5, 0.9999)] = 0.95

    config: Config

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the weighted difference on a batch of each set."""
        alpha = self.config.alpha
        return alpha * model(retain).loss - (1 - alpha) * model(forget).loss
