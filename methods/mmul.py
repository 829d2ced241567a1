"""MMUL (MultiDelete): decouple the modalities of deleted pairs, keep everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from mmulbench import (
    METHODS,
    Batch,
    EncoderOutput,
    GradientConfig,
    GradientMethod,
    Group,
    MultimodalModel,
    Search,
    UnlearningProblem,
    unrelated_pairs,
)

mse = nn.functional.mse_loss


@METHODS.register("mmul")
class Mmul(GradientMethod):
    """L = alpha * MD + beta * UKR + gamma * MKR (arXiv 2311.12047, section 3), Dis = mean squared error.

    MD  = Dis( f'(I_i, T_i), f(I_p, T_q) ): a deleted pair must look like an unrelated pair;
    UKR = Dis( [f'_I(I_i); f'_T(T_i)], [f_I(I_i); f_T(T_i)] ): its unimodal representations stay;
    MKR = Dis( f'(I_r, T_r), f(I_r, T_r) ): the fused representations of Dr stay.

    f is the frozen original, f' the trained model, (I_i, T_i) in Df, (I_r, T_r) in Dr. With
    ``trainable=fusion`` the encoders stay frozen, so UKR is zero and no encoder runs.

    The released code (CLU-UML/MultiDelete) differs from these formulas of the paper. Its UKR is the error of
    all image tokens alone. Its class for retrieval, which would decouple the similarities of a batch, is not
    used: retrieval runs the class for classification, on fused representations, as here. Its epoch walks over
    Df, where it is one over Dr here, so that there are more steps. It keeps the epoch that is best on test
    data; here nothing is chosen on test data, and the last epoch is kept.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Weights are the paper's (all 1); epochs, lr and batch size are shared by all methods.

        Attributes:
            alpha: weight of modality decoupling; 0 switches it off.
            beta: weight of unimodal knowledge retention; 0 switches it off.
            gamma: weight of multimodal knowledge retention; 0 switches it off.
            trainable: all parameters, or the fusion module and its head alone (the paper's two variants).
            partner: unrelated pairs are drawn from Dr (the paper), or re-paired from Df (the released code,
                which permutes a batch's texts and so can leave a true pair in place; here none ever is).
        """

        alpha: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        beta: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        gamma: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        trainable: Literal["all", "fusion"] = "all"
        partner: Literal["retain", "forget"] = "retain"

    config: Config

    def trainable(self) -> Group:
        """Return the name of the parameter group that trains."""
        return "all" if self.config.trainable == "all" else "fusion"

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the weighted sum of the three terms; a term with weight 0 is not computed."""
        config, total = self.config, torch.zeros((), device=problem.device)
        if not (config.alpha or config.beta or config.gamma):
            return total
        student = self._represent(model, forget, retain, problem)
        if config.alpha:
            total = total + config.alpha * self.modality_decoupling(student.deleted, problem)
        if config.beta and config.trainable == "all":
            total = total + config.beta * self.unimodal_retention(student.unimodal, forget, problem)
        if config.gamma:
            total = total + config.gamma * self.multimodal_retention(student.kept, retain, problem)
        return total

    def modality_decoupling(self, fused: Tensor, problem: UnlearningProblem) -> Tensor:
        """Return MD: the distance of deleted pairs from as many unrelated pairs, drawn anew.

        Args:
            fused: (f, d) fused representations f'(I_i, T_i) of a batch of Df.
            problem: gives the items to draw from, and the original's f(I_p, T_q).

        Returns:
            A scalar.
        """
        source = problem.retain if self.config.partner == "retain" else problem.forget
        unrelated = unrelated_pairs(source.split, source.relations, len(fused))
        return mse(fused, problem.outputs.fused_pairs(unrelated))

    def unimodal_retention(
        self, unimodal: tuple[Tensor, Tensor], forget: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return UKR: the distance of deleted pairs' unimodal representations from the original's.

        Args:
            unimodal: (f, d) representations f'_I(I_i) and f'_T(T_i) of a batch of Df.
            forget: the batch.
            problem: gives the original's f_I(I_i) and f_T(T_i).

        Returns:
            A scalar.
        """
        before = [problem.outputs.unimodal(name, forget.items(name)) for name in forget.modalities]
        return mse(torch.cat(unimodal, -1), torch.cat(before, -1))

    def multimodal_retention(self, fused: Tensor, retain: Batch, problem: UnlearningProblem) -> Tensor:
        """Return MKR: the distance of retained pairs' fused representations from the original's.

        Args:
            fused: (r, d) fused representations f'(I_r, T_r) of a batch of Dr.
            retain: the batch.
            problem: gives the original's f(I_r, T_r).

        Returns:
            A scalar.
        """
        return mse(fused, problem.outputs.fused(retain))

    def _represent(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> _Representations:
        """Run each encoder and the fusion module once, on those pairs of both batches that a term reads."""
        config = self.config
        count = len(forget) if config.alpha or config.beta else 0
        batches = [batch for batch, is_read in ((forget, count), (retain, config.gamma)) if is_read]
        a, b = (self._encode(model, name, batches, problem) for name in model.modalities)
        start = 0 if config.alpha else count
        first, second = a[start:], b[start:]
        fused = model.fuse(first, second) if len(first) else first.pooled
        unimodal = a.pooled[:count], b.pooled[:count]
        return _Representations(unimodal, deleted=fused[: count - start], kept=fused[count - start :])

    def _encode(
        self, model: MultimodalModel, modality: str, batches: list[Batch], problem: UnlearningProblem
    ) -> EncoderOutput:
        """Return the encoder output of all batches; frozen encoders give what the original's gave."""
        items = torch.cat([batch.items(modality) for batch in batches])
        if self.config.trainable == "fusion":
            return problem.outputs.encoded(modality, items)
        return model.encode(modality, problem.retain.features.gather(modality, items))


class _Representations(NamedTuple):
    """Holds the trained model's representations of a batch of each set, empty where no term reads them.

    Attributes:
        unimodal: (f, d) unimodal representations of the deleted pairs' images, and those of their texts.
        deleted: (f, d) fused representations of the batch of Df.
        kept: (r, d) fused representations of the batch of Dr.
    """

    unimodal: tuple[Tensor, Tensor]
    deleted: Tensor
    kept: Tensor
