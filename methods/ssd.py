"""Selective synaptic dampening: shrink the weights that matter to the forget set alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import METHODS, Method, MultimodalModel, Search, UnlearningProblem, check_finite
from mmulbench.methods._fisher import fisher_diagonal, reference_pools


@METHODS.register("ssd")
class Ssd(Method):
    """Where F_Df > alpha * F_D: w <- min(lambda * F_D / F_Df, 1) * w (Foster et al. 2024, arXiv 2308.07707).

    F_S is the diagonal Fisher information on the set S, D all training pairs: the mean of the squared
    gradients of single pairs (`_fisher.pair_losses`). The released code squares the gradients of batches
    instead, so that its importance depends on the batch size. No training step is taken. Pairs drawn at
    random may matter to much the same weights as all pairs do, so that alpha = 10 selects few weights.
    """

    @dataclass(frozen=True)
    class Config:
        """Takes alpha and lambda from the released code (if-loops/selective-synaptic-dampening), on ResNet18.

        Attributes:
            alpha: how many times as important a weight must be to Df as to D (released code, for a vision
                transformer: 10 for random pairs, 5 for a class, 25 for a sub-class). Df is part of D: with
                5 % of all pairs deleted no weight is 20 times as important.
            dampening: lambda, how far the chosen weights are left standing (for faces there: 0.1, alpha 50).
            samples: largest number of pairs of each set that F is estimated from.
        """

        alpha: Annotated[float, Field(ge=0), Search(0.5, 20.0, log=True)] = 10.0
        dampening: Annotated[float, Field(ge=0), Search(0.01, 10.0, log=True)] = 1.0
        samples: Annotated[int, Field(ge=1)] = 1000

    config: Config

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Estimate both importances and dampen."""
        config, pools = self.config, reference_pools(problem)
        model = problem.copy_of_original().requires_grad_(True)
        # Both sets are drawn from as the recipe trains: by units, or by pairs.
        sets = replace(problem.forget, sampling=problem.retain.sampling), problem.retain
        forget, retain = (fisher_diagonal(model, data, config.samples, pools, problem) for data in sets)
        deleted, kept = map(len, sets)
        share = deleted / (deleted + kept)
        with torch.no_grad():
            for parameter, on_forget, on_retain in zip(model.parameters(), forget, retain, strict=True):
                on_all = share * on_forget + (1 - share) * on_retain
                parameter.mul_(dampening(on_forget, on_all, config.alpha, config.dampening))
        check_finite(model)
        return model


def dampening(on_forget: Tensor, on_all: Tensor, alpha: float, strength: float) -> Tensor:
    """Return the factor that each weight is multiplied by.

    Args:
        on_forget: importance of each weight to Df, of any shape.
        on_all: importance of each weight to D, of the same shape.
        alpha: selection threshold.
        strength: lambda.
    """
    chosen = on_forget > alpha * on_all
    factor = (strength * on_all / on_forget).clamp(max=1.0)
    return torch.where(chosen, factor, torch.ones_like(factor))
