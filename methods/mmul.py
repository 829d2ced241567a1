"""MMUL (MultiDelete): decouple the modalities of deleted pairs, keep everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mmulbench.core.data import Batch, unrelated_pairs
from mmulbench.core.method import GradientConfig, GradientMethod, UnlearningProblem
from mmulbench.core.model import Encoded, Group, MultimodalModel
from mmulbench.core.registry import METHODS
from mmulbench.core.search_space import Search

mse = nn.functional.mse_loss


@METHODS.register("mmul")
class Mmul(GradientMethod):
    """L = alpha * MD + beta * UKR + gamma * MKR (arXiv 2311.12047, section 3), Dis = mean squared error.

    MD  = Dis( f'(I_i, T_i), f(I_p, T_q) ): a deleted pair must look like an unrelated pair;
    UKR = Dis( [f'_I(I_i); f'_T(T_i)], [f_I(I_i); f_T(T_i)] ): its unimodal representations stay;
    MKR = Dis( f'(I_r, T_r), f(I_r, T_r) ): the fused representations of Dr stay.

    f is the frozen original, f' the trained model, (I_i, T_i) in Df, (I_r, T_r) in Dr. With
    ``trainable=fusion`` the encoders stay frozen, so UKR is zero and no encoder runs.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Weights are the paper's (all 1); epochs, lr and batch size are shared by all methods.

        Attributes:
            epochs: passes over the retain set.
            lr: AdamW's learning rate.
            batch_size: pairs of each set a step.
            patience: epochs without a lower validation loss before stopping; 0: run all.
            alpha: weight of modality decoupling; 0 switches it off.
            beta: weight of unimodal knowledge retention; 0 switches it off.
            gamma: weight of multimodal knowledge retention; 0 switches it off.
            trainable: all parameters, or the fusion module and its head alone (the paper's two variants).
            partner: unrelated pairs are drawn from Dr (the paper), or re-paired from Df (the released code,
                which permutes a batch's texts and so can leave a true pair in place; here none ever is).
        """

        alpha: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        beta: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        gamma: Annotated[float, Field(ge=0)] = 1.0
        trainable: Literal["all", "fusion"] = "all"
        partner: Literal["retain", "forget"] = "retain"

    config: Config

    def trainable(self) -> Group:
        """The parameter group that trains."""
        return "all" if self.config.trainable == "all" else "fusion"

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """The weighted sum; a loss with weight 0 is not computed."""
        config, outputs = self.config, problem.outputs
        total = torch.zeros((), device=problem.device)
        count = len(forget) if config.alpha or config.beta else 0
        batches = [batch for batch, wanted in ((forget, count), (retain, config.gamma)) if wanted]
        if not batches:
            return total
        a, b = (self._encode(model, name, batches, problem) for name in model.modalities)
        if config.alpha or config.gamma:
            start = 0 if config.alpha else count
            fused = model.fuse(a[start:], b[start:])
        if config.alpha:
            source = problem.retain if config.partner == "retain" else problem.forget
            apart = unrelated_pairs(source.split, source.relations, count)
            total = total + config.alpha * mse(fused[:count], outputs.fused_pairs(apart))
        if config.beta and config.trainable == "all":
            kept = torch.cat([a.pooled[:count], b.pooled[:count]], -1)
            before = [outputs.unimodal(name, forget.items(name)) for name in model.modalities]
            total = total + config.beta * mse(kept, torch.cat(before, -1))
        if config.gamma:
            total = total + config.gamma * mse(fused[-len(retain) :], outputs.fused(retain))
        return total

    def _encode(
        self, model: MultimodalModel, modality: str, batches: list[Batch], problem: UnlearningProblem
    ) -> Encoded:
        """Encoder output of all batches in one pass; frozen encoders give what the original's gave."""
        items = torch.cat([batch.items(modality) for batch in batches])
        if self.config.trainable == "fusion":
            return problem.outputs.encoded(modality, items)
        return model.encode(modality, problem.retain.features.gather(modality, items))
