"""L-CODEC: Newton steps on the few weights that a deleted pair's loss depends on, with noise."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    EncoderOutput,
    Method,
    MultimodalModel,
    Search,
    UnlearningProblem,
    check_finite,
    torch_seeded,
)
from mmulbench.evaluation.pair_losses import Pools
from mmulbench.methods._codec import select
from mmulbench.methods._fisher import encoded, gradient_of, inverse_fisher_times, pair_losses, reference_pools
from mmulbench.methods._slices import Slices, measure


@METHODS.register("l_codec")
class LCodec(Method):
    """w_P <- w_P + (H + lambda I)^-1 * sum g_x / (n - m) + N(0, sigma^2) (arXiv 2204.07655).

    Mehta et al. 2022. Batches of m of the n training pairs are deleted one after the other. P are the weights
    that the m pairs' loss depends on: under noise on what the layers read, FOCI finds those outputs of linear
    layers that tell the loss (`_codec`), and each one's row of weights is a slice of P. H = (n H_D - m H_x) /
    (n - m), the Hessian without the m pairs, is the Fisher information of pairs of Dr on P.
    sigma = 2 M sqrt(2 ln(1.25/delta)) / (n^2 lambda^3 epsilon), M = 1/4: .1 at n = 12,572, 16 at n = 1,000.

    Coefficient, selection, H, step and sigma are those of the released code, not checked in the paper
    (vsingh-group/LCODEC-deep-unlearning, codec/ and scrub/scrub_tools.py).

    Simplified: the noise goes on encoder outputs, since inputs may be token ids, so encoders never change;
    attention's inner projections are no candidates; at most ``most`` slices a batch; 100 draws, not 1,000;
    m pairs at once, which sigma ignores, as in the released code; H by Fisher information, an option of that
    code, in place of gradients kept from training. Nothing is certified.
    """

    @dataclass(frozen=True)
    class Config:
        """Takes epsilon, delta, noise and lambda from the released code's scripts for MNIST and CIFAR-10.

        Attributes:
            batch_size: m, number of pairs of Df a step; 0: as many as the task's recipe has.
            perturbations: number of draws of noise that the selection rests on.
            noise: size of a draw, in standard deviations of the encoders' outputs (there: of normalised
                pixels).
            most: largest number of slices changed a step.
            samples: largest number of pairs of Dr in H.
            damping: lambda (also the weight decay there: .01, .1 in two scripts; .001 where none is given).
            epsilon: epsilon of the guarantee.
            delta: delta of the guarantee.
        """

        batch_size: Annotated[int, Field(ge=0)] = 0
        perturbations: Annotated[int, Field(ge=3)] = 100
        noise: Annotated[float, Field(gt=0), Search(0.01, 1.0, log=True)] = 0.1
        most: Annotated[int, Field(ge=1), Search(1, 50)] = 10
        samples: Annotated[int, Field(ge=1)] = 64
        damping: Annotated[float, Field(gt=0), Search(0.001, 1.0, log=True)] = 0.01
        epsilon: Annotated[float, Field(gt=0)] = 0.1
        delta: Annotated[float, Field(gt=0, lt=1)] = 0.01

    config: Config

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Step away from each batch of Df."""
        config, pools = self.config, reference_pools(problem)
        size = problem.batch_size(config.batch_size)
        model = problem.copy_of_original().requires_grad_(True)
        tick = problem.progress.counter(problem.forget.steps(size), "L-CODEC")
        with torch_seeded(problem.seed, "unlearning"):
            for batch in problem.forget.epoch(size, problem.generator("order")):
                slices = self._selected(model, batch, pools, problem)
                slices.add(self._step(model, batch, slices, pools, problem))
                tick()
        check_finite(model)
        return model

    def _selected(
        self, model: MultimodalModel, batch: Batch, pools: Pools | None, problem: UnlearningProblem
    ) -> Slices:
        """Select P for a batch."""
        a, b = problem.outputs.encoded_batch(batch)
        draws, losses = [], []
        for _ in range(self.config.perturbations):
            pairs = encoded(batch, (perturbed(a, self.config.noise), perturbed(b, self.config.noise)))
            found, loss = problem.meter.run("perturbation", len(batch), measure, model, pairs, pools)
            draws.append(torch.cat(list(found.values())))
            losses.append(loss)
        features, target = torch.stack(draws), torch.stack(losses)
        chosen = problem.meter.run("selection", 1, select, features, target, self.config.most)
        return Slices(list(found), chosen)

    def _step(
        self,
        model: MultimodalModel,
        batch: Batch,
        slices: Slices,
        pools: Pools | None,
        problem: UnlearningProblem,
    ) -> Tensor:
        """Return (p,) the Newton step and noise."""
        config = self.config
        batches = itertools.islice(problem.retain.epoch(1, problem.generator("pairs")), config.samples)
        rows = torch.stack([self._gradient(model, pair, slices, pools, problem) for pair in batches])
        count = len(problem.forget.split) + len(problem.retain.split)
        scale = len(batch) / (count - len(batch))
        deleted = self._gradient(model, batch, slices, pools, problem)
        newton = scale * problem.meter.step("solve", 1, inverse_fisher_times, rows, config.damping, deleted)
        sigma = noise_scale(count, config.damping, config.epsilon, config.delta)
        return newton + sigma * torch.randn_like(newton)

    def _gradient(
        self,
        model: MultimodalModel,
        batch: Batch,
        slices: Slices,
        pools: Pools | None,
        problem: UnlearningProblem,
    ) -> Tensor:
        """Return (p,) the mean gradient of a batch's pair losses; the encoders are still the original's."""

        def work() -> tuple[Tensor, ...]:
            loss = pair_losses(model, encoded(batch, problem.outputs.encoded_batch(batch)), pools).mean()
            return gradient_of(loss, slices.parameters)

        return slices.vector(problem.meter.run("gradient", len(batch), work))


def perturbed(encoded: EncoderOutput, noise: float) -> EncoderOutput:
    """Add Gaussian noise to an encoder's output.

    Args:
        encoded: the output.
        noise: size of the noise, in standard deviations of tokens and of pooled outputs.
    """
    tokens, pooled = (
        x + noise * x.std(correction=0) * torch.randn_like(x) for x in (encoded.tokens, encoded.pooled)
    )
    return replace(encoded, tokens=tokens, pooled=pooled)


def noise_scale(n: int, damping: float, epsilon: float, delta: float) -> float:
    """Return sigma of the class docstring's formula.

    Args:
        n: number of training pairs.
        damping: lambda.
        epsilon: epsilon of the guarantee.
        delta: delta of the guarantee.
    """
    return 2 * 0.25 * math.sqrt(2 * math.log(1.25 / delta)) / (n**2 * damping**3 * epsilon)
