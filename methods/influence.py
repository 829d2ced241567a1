"""Influence unlearning (WoodFisher): one Newton-like step that takes the forget set's gradient back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.utils import vector_to_parameters

from mmulbench import METHODS, Method, MultimodalModel, PairData, Search, UnlearningProblem, check_finite
from mmulbench.evaluation.pair_losses import Pools
from mmulbench.methods._fisher import (
    flat,
    gradient,
    inverse_fisher_times,
    pair_gradients,
    reference_pools,
)


@METHODS.register("influence")
class Influence(Method):
    """w <- w + alpha * (lambda * I + F)^-1 * (n_f / n) * (g_Df - g_Dr) (arXiv 2304.04934).

    The influence-function baseline of Jia et al. 2023, with F in WoodFisher's form: the mean of g g^T over
    single pairs of Dr. g_S is the mean gradient on S of `_fisher.pair_losses`; n_f of n are deleted, units or
    pairs, whichever an epoch of the recipe visits each once.
    The inverse is exact, by Woodbury's identity, and keeps ``samples`` gradients in memory. Direction and
    scale are those of the released code (OPTML-Group/Unlearn-Sparse, unlearn/Wfisher.py). Its recursion never
    takes a second gradient into its update direction, so there F^-1 v is v plus a multiple of the first
    pair's gradient; that is not done here.
    """

    @dataclass(frozen=True)
    class Config:
        """Scales the step and the inverse as the released code does.

        Attributes:
            alpha: length of the step; 1 is the Newton step (the released code leaves it to its user; its
                parser says 0.2).
            damping: lambda; 1 is what the released code's recursion starts from.
            samples: largest number of pairs of Dr in F; each takes 4 bytes a parameter.
            batch_size: number of pairs a step of the mean gradients, which do not depend on it; 0: as many as
                the task's recipe has.
        """

        alpha: Annotated[float, Field(ge=0), Search(0.01, 100.0, log=True)] = 1.0
        damping: Annotated[float, Field(gt=0), Search(0.001, 10.0, log=True)] = 1.0
        samples: Annotated[int, Field(ge=1)] = 128
        batch_size: Annotated[int, Field(ge=0)] = 0

    config: Config

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Take the step."""
        config, pools = self.config, reference_pools(problem)
        model = problem.copy_of_original().requires_grad_(True)
        # Both sets are drawn from as the recipe trains: by units, or by pairs.
        sets = replace(problem.forget, sampling=problem.retain.sampling), problem.retain
        deleted, kept = map(len, sets)
        forget, retain = (self._mean_gradient(model, data, pools, problem) for data in sets)
        pairs = pair_gradients(model, problem.retain, config.samples, pools, problem)
        rows = torch.stack([flat(found) for found in pairs])
        direction = deleted / (deleted + kept) * (forget - retain)
        step = problem.meter.step("solve", 1, inverse_fisher_times, rows, config.damping, direction)
        with torch.no_grad():
            weights = flat(model.parameters())
            vector_to_parameters(weights + config.alpha * step, model.parameters())
        check_finite(model)
        return model

    def _mean_gradient(
        self, model: MultimodalModel, data: PairData, pools: Pools | None, problem: UnlearningProblem
    ) -> Tensor:
        """Return (p,) the mean gradient over one epoch of the set."""
        size, parameters = problem.batch_size(self.config.batch_size), list(model.parameters())
        total = torch.zeros(sum(parameter.numel() for parameter in parameters), device=problem.device)
        tick = problem.progress.counter(data.steps(size), "mean gradient")
        for batch in data.epoch(size, problem.generator("mean gradient")):
            found = problem.meter.run("gradient", len(batch), gradient, model, batch, pools, parameters)
            total += flat(found) * len(batch)
            tick()
        return total / len(data)
