"""Boundary shrink: give every deleted pair to the nearest wrong class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mmulbench import (
    CLASSIFICATION,
    METHODS,
    Batch,
    EncoderOutput,
    GradientConfig,
    MultimodalModel,
    OneSetMethod,
    Search,
    Task,
    UnlearningProblem,
)


@METHODS.register("boundary_shrink")
class BoundaryShrink(OneSetMethod):
    """L = CE(f'(x), y_near) on Df, y_near the nearest wrong class (Chen et al. 2023, arXiv 2303.11570).

    y_near is the class, other than x's own, that the original sees most in x + bound * sign(grad CE(x)). The
    released code (its copy in TY-LEE-KR/Boundary-Unlearning-Code) does not rule x's own class out.
    The paper deletes a whole class; here Df holds pairs of any class, each sent to its own nearest class, so
    the boundary moves for pairs of Dr of that class too. Its pixels may be token ids here, so the step is
    taken on the tokens of both encoders, and ``bound`` is in standard deviations of them. With two classes
    y_near is the other class, whatever the step.
    """

    reads: ClassVar[Literal["forget", "retain"]] = "forget"

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """The bound is the released code's, on pixels from 0 to 1; the rest is shared by all methods.

        Attributes:
            bound: length of the step towards the boundary.
        """

        bound: Annotated[float, Field(ge=0), Search(0.01, 1.0, log=True)] = 0.1

    config: Config

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Apply to classification alone."""
        if task.classes:
            return None
        return "boundary shrink moves the boundary between classes; retrieval has no classes"

    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return the cross-entropy of the nearest wrong classes on a batch of Df."""
        near = nearest_wrong(problem.original, batch, problem.outputs.encoded_batch(batch), self.config.bound)
        return nn.functional.cross_entropy(model(batch).logits[CLASSIFICATION], near)


def nearest_wrong(
    original: MultimodalModel, batch: Batch, encoded: tuple[EncoderOutput, EncoderOutput], bound: float
) -> Tensor:
    """Return (b,) the wrong class nearest to each pair.

    Args:
        original: the frozen original.
        batch: b pairs with labels.
        encoded: the original's encoder outputs of them.
        bound: length of the step, in standard deviations of the tokens.

    Raises:
        ValueError: The pairs have no labels.
    """
    labels = batch.targets.labels
    if labels is None:
        raise ValueError("boundary shrink needs labelled pairs")
    tokens = [side.tokens.detach().requires_grad_(True) for side in encoded]
    loss = nn.functional.cross_entropy(_logits(original, encoded, tokens), labels)
    torch.autograd.backward(loss)
    with torch.no_grad():
        moved = [x + bound * x.std(correction=0) * x.grad.sign() for x in tokens if x.grad is not None]
        return _logits(original, encoded, moved).scatter(1, labels[:, None], float("-inf")).argmax(1)


def _logits(
    model: MultimodalModel, encoded: tuple[EncoderOutput, EncoderOutput], tokens: list[Tensor]
) -> Tensor:
    """Return the (b, c) logits that the model gives where the encoders had given these tokens."""
    first, second = (replace(side, tokens=given) for side, given in zip(encoded, tokens, strict=True))
    return model.head(model.fuse(first, second))
