"""Train from scratch on the retain set by another training seed: the noise floor of every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from mmulbench import METHODS, Method, MultimodalModel, UnlearningProblem


@METHODS.register("retrain_again")
class RetrainAgain(Method):
    """f' = the original's recipe run on Dr from other initial weights, in another order, with other draws.

    Two retrains of one forget set differ by chance alone, so a method that is no further from retrain than
    this model cannot be told from a perfect one. It is shown as retrain', and competes with no method.
    """

    is_noise_floor: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Config:
        """Numbers the draws; several of them tell how large the noise is.

        Attributes:
            draw: number of the draw; with the run's seed it makes the training seed.
        """

        draw: Annotated[int, Field(ge=1)] = 1

    config: Config

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Train a fresh model on Dr by a seed of this draw's own."""
        rng = problem.generator(f"retrain again {self.config.draw}")
        return problem.train_from_scratch(problem.retain, int(rng.integers(2**63)))
