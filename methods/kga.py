"""KGA: know the forget set as well as the original knows new data, judged by two helper models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    Descent,
    GradientConfig,
    MultimodalModel,
    PairData,
    Search,
    UnlearningProblem,
)
from mmulbench.methods._paths import divergence, path_logits


@METHODS.register("kga")
class Kga(Descent):
    """L = |KL(p || p_Af) on Df - KL(p_0 || p_An) on Dn| + alpha * KL(p_0 || p) on Dr (arXiv 2305.06535).

    Wang et al. 2023. p_0 is the original's belief and p the trained model's, a mean over association paths.
    The helpers A_f and A_n are trained on Df and on new data Dn alone, by the original's recipe from its
    initial weights. Dn is as many units of the validation split as are deleted (all, where there are fewer):
    the released code sets part of the training data aside for it, which here nobody may do.

    The directions are from memory of the paper, not verified: the trained model stands to A_f as the original
    does to A_n. The released code (Lingzhi-WANG/KGAUnlearn) has KL(p_Af || p) first; its second is as here in
    classification and KL(p_An || p_0) in translation and responses; its third is as here. In those two it may
    stop once the first term is small (--stop_value 0.05 for responses); here epochs and patience decide.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Alpha is that of the released code's README; the rest is shared by all methods.

        Attributes:
            batch_size: pairs of each of the three sets a step; 0: as many as the task's recipe has.
            alpha: weight of the divergence on Dr. The README's value for classification, since its code
                contradicts it: that weighs Dr by 1 - alpha, on a mean of ten batches of Dr for each of Df and
                Dn, where there is one of each here. For translation and responses it says 0.3.
        """

        alpha: Annotated[float, Field(ge=0), Search(0.01, 10.0, log=True)] = 0.1

    config: Config

    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return batches of Df, Dr and Dn side by side."""
        epochs, size = self.config.epochs, problem.batch_size(self.config.batch_size)
        new = new_data(problem).cycle(size, problem.generator("new order"))
        pairs = problem.paired_epochs(epochs, size)
        return ((forget, retain, next(new)) for forget, retain in pairs), problem.retain.steps(size)

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[..., Tensor]:
        """Train the helpers, which stay as they are, and return ``loss`` with them at hand."""
        on_forget = replace(problem.forget, sampling=problem.recipe.sampling)
        helpers = [
            problem.train_from_scratch(data).requires_grad_(False) for data in (on_forget, new_data(problem))
        ]
        return lambda *batches: self.loss(model, helpers[0], helpers[1], batches, problem)

    def loss(
        self,
        model: MultimodalModel,
        forget_helper: MultimodalModel,
        new_helper: MultimodalModel,
        batches: tuple[Batch, ...],
        problem: UnlearningProblem,
    ) -> Tensor:
        """Return the alignment of the two knowledge gaps, and the divergence on Dr.

        Args:
            model: model that trains.
            forget_helper: A_f.
            new_helper: A_n.
            batches: a batch of Df, of Dr and of Dn.
            problem: gives the original and its outputs.

        Returns:
            A scalar in nats.
        """
        forget, retain, new = batches
        with torch.no_grad():
            known = path_logits(forget_helper, forget)
            target = divergence(path_logits(problem.original, new), path_logits(new_helper, new), 1.0)
        gap = divergence(path_logits(model, forget), known, 1.0)
        kept = divergence(problem.outputs.logits(retain), path_logits(model, retain), 1.0)
        return (gap - target).abs() + self.config.alpha * kept


def new_data(problem: UnlearningProblem) -> PairData:
    """Return Dn: a fixed draw of validation units, as many as are deleted."""
    split = problem.validation.split
    order = problem.generator("new data").permutation(split.units)
    return replace(problem.validation, split=split.only(order[: len(problem.forget.split.units)]))
