"""NegGrad+: gradient ascent on the forget set, held in place by descent on the retain set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor

from mmulbench.data import Batch
from mmulbench.method import GradientConfig, GradientMethod, UnlearningProblem
from mmulbench.model import MultimodalModel
from mmulbench.registry import METHODS


@METHODS.register("neggrad_plus")
class NegGradPlus(GradientMethod):
    """L = alpha * CE(Dr) - (1 - alpha) * CE(Df), CE the task's own loss (arXiv 2302.09880).

    A baseline of Kurmanji et al. 2023. An epoch walks over Dr; batches of Df are repeated beside it, as in
    the released code.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Alpha is that of the released code's small data sets; the rest is shared by all methods.

        Attributes:
            epochs: passes over the retain set.
            lr: AdamW's learning rate.
            batch_size: pairs of each set a step.
            patience: epochs without a lower validation loss before stopping; 0: run all.
            alpha: weight of the retain set (released code: 0.95 on small data sets, 0.9999 on large ones).
        """

        alpha: Annotated[float, Field(ge=0, le=1)] = 0.95

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """The weighted difference on a batch of each set."""
        alpha = self.config.alpha
        return alpha * model(retain).loss - (1 - alpha) * model(forget).loss  # type: ignore[no-any-return]
