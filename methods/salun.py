"""SalUn: random labels, but only the weights that matter most to the forget set may change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    GradientConfig,
    Learner,
    MultimodalModel,
    Search,
    UnlearningProblem,
    torch_seeded,
)
from mmulbench.methods.random_label import RandomLabel


@METHODS.register("salun")
class Salun(RandomLabel):
    """Random labels on m * theta, m = top half of |grad CE(Df)| (Fan et al. 2024, arXiv 2310.12508).

    The gradient is that of the task's own loss summed over all pairs of Df, at the original's weights and in
    evaluation mode; weights are compared over the whole model, much as in the released code
    (OPTML-Group/Unlearn-Saliency, generate_mask.py). Weights outside the mask keep the original's values bit
    for bit. The loss (their weight of CE(Dr) is 1), and what a wrong label is in retrieval, are those of
    random_label.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """The fraction is that of the released code's README; the rest is shared by all methods.

        Attributes:
            fraction: share of weights that may change (the paper, as quoted by others, cuts at the median).
        """

        fraction: Annotated[float, Field(gt=0, le=1), Search(0.1, 0.9)] = 0.5

    config: Config

    def learner(self, model: MultimodalModel, problem: UnlearningProblem) -> Learner:
        """Return AdamW, undone outside the mask: no gradient, momentum or decay moves a weight there."""
        learner = super().learner(model, problem)
        masks = top_masks(self.saliency(model, problem), self.config.fraction)
        before = list(problem.original.parameters())

        @torch.no_grad()
        def restore(*_: object) -> None:
            for parameter, old, mask in zip(learner.parameters, before, masks, strict=True):
                parameter.copy_(torch.where(mask, parameter, old))

        learner.optimizer.register_step_post_hook(restore)
        return learner

    def saliency(self, model: MultimodalModel, problem: UnlearningProblem) -> list[Tensor]:
        """Return the gradient of the task's loss summed over Df, one tensor for each parameter.

        Args:
            model: a copy of the original; it is left in training mode.
            problem: gives Df; its meter is charged.
        """
        totals = [torch.zeros_like(parameter) for parameter in model.parameters()]
        forget, size = problem.forget, problem.batch_size(self.config.batch_size)
        tick = problem.progress.counter(forget.steps(size), "Saliency")
        model.eval()
        with torch_seeded(problem.seed, "saliency"):
            for batch in forget.epoch(size, problem.generator("saliency order")):
                problem.meter.run("saliency", len(batch), _add_gradient, model, batch, totals)
                tick()
        model.train()
        return totals


def _add_gradient(model: MultimodalModel, batch: Batch, totals: list[Tensor]) -> None:
    """Add the gradient of a batch's loss, weighted by its pairs, since most losses are means over them."""
    loss = model(batch).loss * len(batch)
    gradients = torch.autograd.grad(loss, list(model.parameters()), materialize_grads=True)
    for total, gradient in zip(totals, gradients, strict=True):
        total += gradient


def top_masks(values: list[Tensor], fraction: float) -> list[Tensor]:
    """Return where the largest absolute values of all tensors together lie; of equal ones the first count.

    Args:
        values: tensors of any shapes.
        fraction: share of all entries that is chosen.

    Returns:
        Bool tensors of the values' shapes.
    """
    flat = torch.cat([value.flatten() for value in values]).abs()
    chosen = flat.argsort(descending=True, stable=True)[: round(fraction * len(flat))]
    mask = torch.zeros_like(flat, dtype=torch.bool)
    mask[chosen] = True
    parts = torch.split(mask, [value.numel() for value in values])
    return [part.view_as(value) for part, value in zip(parts, values, strict=True)]
