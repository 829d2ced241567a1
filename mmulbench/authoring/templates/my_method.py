"""Ascend on the forget set and descend on the retain set, both at once."""

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


@METHODS.register("my_method")
class MyMethod(GradientMethod):
    """L = CE(Dr) - weight * CE(Df), CE the task's own loss."""

    # The settings: epochs, lr, batch_size and patience come with GradientConfig.
    @dataclass(frozen=True)
    class Config(GradientConfig):
        """The shared settings, and one of its own.

        Attributes:
            weight: how hard to push away from Df (my own choice).
        """

        # Field says what is allowed, Search where `mmulbench tune` looks.
        weight: Annotated[float, Field(ge=0), Search(0.01, 1.0, log=True)] = 0.1

    config: Config  # so that type checkers know what self.config holds

    # The method itself: model(batch) has the task's loss, the logits, and the unimodal and fused
    # representations; problem.outputs has what the original said about Df and Dr.
    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the scalar to descend on, for one batch of Df and one of Dr."""
        return model(retain).loss - self.config.weight * model(forget).loss
