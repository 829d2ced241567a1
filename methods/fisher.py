"""Fisher forgetting: noise on the weights that the retain set does not need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field

from mmulbench import METHODS, Method, MultimodalModel, Search, UnlearningProblem, check_finite, torch_seeded
from mmulbench.methods._fisher import fisher_diagonal, reference_pools

SMALLEST = 1e-8
"""Number added to the Fisher information (released code)."""

LARGEST_INVERSE = 1e3
"""Largest inverse of the Fisher information (released code)."""


@METHODS.register("fisher")
class Fisher(Method):
    """w <- w + N(0, alpha * F^-1), F the diagonal Fisher information on Dr (arXiv 1911.04933).

    Golatkar et al. 2020, in the form of their released code, whose covariance is F^-1 with 1 / F cut off at
    1,000. Only Dr is read: Df is forgotten as far as it shares no weights with Dr. F is the empirical one, of
    single pairs (`_fisher.pair_losses`); the paper draws labels from the model, and retrieval has no labels.
    The code's special cases are out: a reset output row for a deleted class, ten times the variance in norms
    and the last layer, a lower cap there, and one variance for each row of a matrix.
    """

    @dataclass(frozen=True)
    class Config:
        """Scales the noise as the released code does.

        Attributes:
            alpha: scale of the noise's variance (released code: 1e-6, and 1e-8 to 1e-5 in a sweep). The
                default is from the lower half of that sweep, no value of the paper: what noise weights bear
                depends on the network, so that it is the setting to tune.
            samples: largest number of pairs of Dr that F is estimated from.
        """

        alpha: Annotated[float, Field(ge=0), Search(1e-9, 1e-3, log=True)] = 1e-7
        samples: Annotated[int, Field(ge=1)] = 1000

    config: Config

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Estimate F and add the noise."""
        model = problem.copy_of_original().requires_grad_(True)
        pools = reference_pools(problem)
        information = fisher_diagonal(model, problem.retain, self.config.samples, pools, problem)
        with torch_seeded(problem.seed, "unlearning"), torch.no_grad():
            for parameter, found in zip(model.parameters(), information, strict=True):
                variance = self.config.alpha * (1 / (found + SMALLEST)).clamp(max=LARGEST_INVERSE)
                parameter.add_(variance.sqrt() * torch.randn_like(parameter))
        check_finite(model)
        return model
