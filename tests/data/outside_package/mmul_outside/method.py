"""A method that lives in another package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mmulbench import METHODS, GradientMethod


@METHODS.register("outside_method")
class OutsideMethod(GradientMethod):
    """L = CE(Dr) - weight * CE(Df)."""

    @dataclass(frozen=True)
    class Config:
        """Settings.

        Attributes:
            epochs: passes over the retain set.
            lr: AdamW's learning rate.
            batch_size: pairs of each set a step.
            weight: of the ascent on Df.
        """

        epochs: Annotated[int, Field(ge=1)] = 1
        lr: Annotated[float, Field(gt=0)] = 1e-3
        batch_size: Annotated[int, Field(ge=2)] = 16
        weight: Annotated[float, Field(ge=0)] = 0.1

    def loss(self, model, forget, retain, problem):
        """The scalar to descend on."""
        return model(retain).loss - self.config.weight * model(forget).loss
