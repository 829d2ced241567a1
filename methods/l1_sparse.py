"""l1-sparse: fine-tune on the retain set while an l1 penalty, faded out, pulls weights to zero."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import METHODS, Batch, GradientConfig, MultimodalModel, Search, UnlearningProblem
from mmulbench.methods.finetune import Finetune


@METHODS.register("l1_sparse")
class L1Sparse(Finetune):
    """L = CE(Dr) + gamma * (1 - t / T) * |theta|_1 (Jia et al. 2023, arXiv 2304.04934).

    CE is the task's own loss, theta all parameters, t the epoch counted from 0, T the number of epochs: the
    linearly falling penalty of the released code (OPTML-Group/Unlearn-Sparse, unlearn/FT.py), constant within
    an epoch. Like there, nothing is pruned afterwards.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Gamma is from memory and not verified; the rest is shared by all methods.

        Attributes:
            epochs: T, passes over the retain set.
            gamma: weight of the penalty in the first epoch (the released code leaves it to its user; scripts
                of others use 1e-4 or 5e-4).
        """

        gamma: Annotated[float, Field(ge=0), Search(1e-6, 1e-2, log=True)] = 5e-4

    config: Config

    def coefficient(self, epoch: int) -> float:
        """Return the weight of the penalty in an epoch, counted from 0."""
        return self.config.gamma * (1 - epoch / self.config.epochs)

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[[Batch], Tensor]:
        """Return the task's own loss plus the penalty of the epoch that a step belongs to."""
        size = problem.batch_size(self.config.batch_size)
        taken, steps = itertools.count(), problem.retain.steps(size)

        def loss(batch: Batch) -> Tensor:
            weight = self.coefficient(next(taken) // steps)
            return self.loss(model, batch, problem) + weight * l1_norm(model)

        return loss


def l1_norm(model: torch.nn.Module) -> Tensor:
    """Sum the absolute values of all parameters."""
    return torch.stack([parameter.abs().sum() for parameter in model.parameters()]).sum()
