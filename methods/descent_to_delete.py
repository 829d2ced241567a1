"""Descent-to-delete: descend on the retain set, then publish with Gaussian noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    DescentConfig,
    MultimodalModel,
    OneSetMethod,
    Search,
    UnlearningProblem,
    check_finite,
    torch_seeded,
)


@METHODS.register("descent_to_delete")
class DescentToDelete(OneSetMethod):
    """I descent steps on CE(Dr) + wd / 2 * |w|^2, then w + N(0, sigma^2 I) (Neel et al. 2020, 2007.02923).

    With gamma = (M - m) / (M + m), M = 4 - wd, m = wd, L = 1 + wd, delta = 1 / n^2 and n training pairs:
    sigma = 4 sqrt(2) L gamma^I / (m n (1 - gamma^I) (sqrt(ln(1/delta) + epsilon) - sqrt(ln(1/delta)))),
    theorem 3.1 as two public implementations have it (ChrisWaites/descent-to-delete; baseline.py of
    Graph-COM/Langevin_unlearning); it was not checked in the paper. M, m, L, delta and epsilon are those of
    the released code of arXiv 2311.12047 (CLU-UML/MultiDelete), where I is 1 and no step is taken; they are
    those of the first implementation's logistic regression. The theorem is for strongly convex losses,
    full-batch descent and one deletion; here AdamW takes mini-batches of a network's loss, so nothing is
    certified. n counts pairs, as MultiDelete's code counts the entries of its training set, one a caption.

    Expect little to be left of a model where few pairs or steps are: the formula gives about 1.9 at
    n = 29,000 and I = 1, .4 at n = 145,000 and I = 1, and .02 at n = 12,572 and I = 105.
    """

    reads: ClassVar[Literal["forget", "retain"]] = "retain"

    @dataclass(frozen=True)
    class Config(DescentConfig):
        """Epochs, lr and batch size are shared by all methods; the number of steps sets the noise.

        Attributes:
            weight_decay: wd (that of ALBEF on Flickr30K in the released code).
            epsilon: epsilon of the guarantee (released code).
        """

        weight_decay: Annotated[float, Field(gt=0, lt=2), Search(0.001, 1.0, log=True)] = 0.02
        epsilon: Annotated[float, Field(gt=0), Search(1.0, 100.0, log=True)] = 5.0

    config: Config

    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return the task's own loss on a batch of Dr, made strongly convex as far as a penalty can."""
        squares = torch.stack([parameter.square().sum() for parameter in model.parameters()])
        return model(batch).loss + self.config.weight_decay / 2 * squares.sum()

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Descend, then add the noise."""
        config = self.config
        model = super().unlearn(problem)
        steps = config.epochs * problem.retain.steps(problem.batch_size(config.batch_size))
        pairs = len(problem.forget.split) + len(problem.retain.split)
        sigma = noise_scale(pairs, steps, config.weight_decay, config.epsilon)
        with torch_seeded(problem.seed, "noise"), torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(sigma * torch.randn_like(parameter))
        check_finite(model)
        return model


def noise_scale(n: int, steps: int, weight_decay: float, epsilon: float) -> float:
    """Return sigma of the class docstring's formula.

    Args:
        n: number of training pairs.
        steps: number of descent steps, I.
        weight_decay: wd, between 0 and 2.
        epsilon: epsilon of the guarantee.
    """
    strong, smooth, lipschitz = weight_decay, 4 - weight_decay, 1 + weight_decay
    shrunk = ((smooth - strong) / (smooth + strong)) ** steps
    log = 2 * math.log(n)
    gap = math.sqrt(log + epsilon) - math.sqrt(log)
    return 4 * math.sqrt(2) * lipschitz * shrunk / (strong * n * (1 - shrunk) * gap)
