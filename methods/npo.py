"""NPO: make deleted pairs less likely than the original found them, ever more gently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from mmulbench import (
    CLASSIFICATION,
    CONTRASTIVE,
    METHODS,
    Batch,
    GradientConfig,
    GradientMethod,
    MultimodalModel,
    Search,
    Targets,
    UnlearningProblem,
)
from mmulbench.methods._paths import path_logits


@METHODS.register("npo")
class Npo(GradientMethod):
    """L = -2/beta * mean over Df of log sigmoid(-beta * log(p / p_original)) + alpha * CE(Dr).

    Negative preference optimisation in its variant with a retain loss (Zhang et al. 2024, arXiv 2404.05868);
    CE is the task's own loss. The formula is that of the released code
    (licong-lin/negative-preference-optimization, npo_grad_diff). The paper's p is a language model's
    likelihood of an answer.
    This project's analogue for a pair: log p is the mean over association paths of
    classification: the log probability of the pair's class;
    contrastive: the log softmax of the pair's similarity among its row's unrelated items in the batch;
    matching: the log probability that the pair belongs together.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Beta and alpha are those of TOFU/config/forget.yaml there; the rest is shared by all methods.

        Attributes:
            beta: how soon a pair counts as forgotten; towards 0 it is gradient ascent.
            alpha: weight of the task's loss on Dr; 0: without it, the paper's plain NPO.
        """

        beta: Annotated[float, Field(gt=0), Search(0.01, 1.0, log=True)] = 0.1
        alpha: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0

    config: Config

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the preference term on a batch of Df plus the task's loss on one of Dr."""
        beta, alpha = self.config.beta, self.config.alpha
        now = log_likelihood(path_logits(model, forget), forget.targets)
        before = log_likelihood(problem.outputs.logits(forget), forget.targets)
        total = -2 / beta * nn.functional.logsigmoid(-beta * (now - before)).mean()
        return total + alpha * model(retain).loss if alpha else total


def log_likelihood(logits: dict[str, Tensor], targets: Targets) -> Tensor:
    """Return (b,) the mean over paths of the log probability of each pair.

    Args:
        logits: (b, c) logits by path.
        targets: which items of the batch belong together, and the pairs' classes.
    """
    terms = []
    for path, values in logits.items():
        if path == CLASSIFICATION and targets.labels is not None:
            terms.append(values.log_softmax(1).gather(1, targets.labels[:, None])[:, 0])
        elif path == CONTRASTIVE:
            own = torch.eye(len(values), dtype=torch.bool, device=values.device)
            terms.append(values.masked_fill(targets.related & ~own, float("-inf")).log_softmax(1).diagonal())
        else:
            terms.append(values.log_softmax(1)[:, 1])
    return torch.stack(terms).mean(0)
