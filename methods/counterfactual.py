"""Counterfactual targets: judge deleted pairs as a model would that never saw them, on every path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    Descent,
    GradientConfig,
    Learner,
    MultimodalModel,
    Search,
    UnlearningProblem,
)
from mmulbench.errors import NotApplicable
from mmulbench.methods._clean import clean_scores
from mmulbench.methods._confidence import (
    Level,
    confidences,
    encode_together,
    negatives,
    original_confidences,
    ranks_of,
)
from mmulbench.methods._paths import divergence

FEWEST = 4
"""Least number of held-out pairs that have a distribution."""


@METHODS.register("counterfactual")
class Counterfactual(Descent):
    """L = (1 - kept) * CE(Dr) + kept * KL(p_0 || p) on Dr + strength * D(Df) + anchor * A(Dv).

    D = mean over paths and pairs of ((c - c*) / s)^2: c = log p / (1 - p) is the trained model's confidence
    in a deleted pair, and c* its target. That is the quantile of the confidences in held-out pairs Dv at the
    rank which the pair would have for a model that never saw it (`clean_scores`); s is the standard deviation
    of the original's c_0 there. So Df is told apart from Dv on no path, and the order in Df is not the
    original's. A = mean over paths of ((mean c - mean c_0) / s)^2 on Dv keeps the level there.

    CE is the task's own loss, p_0 the original's belief, a mean over paths. No published method: a pilot on
    emoji and hpo_pgr came first. Dv is the validation split, of which nobody trains on: only how sure the
    model is of it is read.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Epochs, lr and batch size are shared by all methods; lr is the peak of a one-cycle schedule.

        Attributes:
            strength: weight of the targets; 0 switches it off.
            anchor: weight of the anchor; 0 switches it off.
            kept: share of the original's belief in what Dr teaches; the rest is the task's own loss.
            order: what ranks the deleted pairs: clean features (``clean``), the original (``own``), or
                nothing, so that all have the middle rank (``mean``). The last two are for comparison.
        """

        strength: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        anchor: Annotated[float, Field(ge=0), Search(0.01, 10.0, log=True)] = 0.1
        kept: Annotated[float, Field(ge=0, le=1), Search(0.0, 1.0)] = 0.5
        order: Literal["clean", "own", "mean"] = "clean"

    config: Config

    def learner(self, model: MultimodalModel, problem: UnlearningProblem) -> Learner:
        """Return what trains all parameters by the recipe's weight decay and kind of schedule."""
        learner = problem.learner(model, self.config.lr, weight_decay=problem.recipe.weight_decay)
        steps = problem.retain.steps(problem.batch_size(self.config.batch_size)) * self.config.epochs
        learner.one_cycle(self.config.lr, steps)
        return learner

    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return batches of Df, Dr and Dv side by side.

        Raises:
            NotApplicable: There are too few held-out pairs to set a level.
        """
        if len(problem.validation.split) < FEWEST:
            raise NotApplicable(f"its targets come from validation pairs, and there are fewer than {FEWEST}")
        size = problem.batch_size(self.config.batch_size)
        held_out = replace(problem.validation, sampling="pair").cycle(size, problem.generator("held out"))
        pairs = problem.paired_epochs(self.config.epochs, size)
        return ((forget, retain, next(held_out)) for forget, retain in pairs), problem.retain.steps(size)

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[..., Tensor]:
        """Rank Df and measure Dv, once, and return ``loss`` with both at hand."""
        split, new = problem.forget.split, problem.validation
        ranks = problem.meter.run("ranks", len(split), self._ranks, problem)
        found = problem.meter.run("level", len(new.split), original_confidences, problem, new)
        level = {path: Level(float(c.mean()), max(float(c.std()), 1e-3)) for path, c in found.items()}
        return lambda *batches: self.loss(model, ranks, level, batches, problem)

    def loss(
        self,
        model: MultimodalModel,
        ranks: dict[str, Tensor],
        level: dict[str, Level],
        batches: tuple[Batch, ...],
        problem: UnlearningProblem,
    ) -> Tensor:
        """Return the weighted sum.

        Args:
            model: model that trains.
            ranks: by path, the rank of each pair of Df at the place of its row.
            level: by path, how sure the original is of held-out pairs.
            batches: a batch of Df, of Dr and of Dv.
            problem: gives the original's outputs.
        """
        config, (forget, retain, _) = self.config, batches
        deleted, kept, new = encode_together(model, batches)
        output = model.forward_encoded(kept.a, kept.b, retain.targets)
        total = (1 - config.kept) * output.loss
        if config.kept:
            total = total + config.kept * divergence(problem.outputs.logits(retain), output.logits, 1.0)
        pools = negatives(new, problem.validation.relations)
        held_out = confidences(model, new, pools)
        for path, found in confidences(model, deleted, pools).items():
            target = torch.quantile(held_out[path].detach(), ranks[path][forget.rows])
            distance = ((found - target) / level[path].sd).square().mean()
            shift = (held_out[path].mean() - level[path].mean) / level[path].sd
            total = total + (config.strength * distance + config.anchor * shift.square()) / len(level)
        return total

    def _ranks(self, problem: UnlearningProblem) -> dict[str, Tensor]:
        """Return the ranks of Df by path, between 0 and 1, at the places of its rows."""
        split, paths = problem.forget.split, problem.original.paths
        if self.config.order == "own":
            scores = original_confidences(problem, problem.forget)
        else:
            clean = clean_scores(problem) if self.config.order == "clean" else torch.zeros(len(split))
            scores = dict.fromkeys(paths, clean)
        ranks = {path: torch.zeros(int(split.rows.max()) + 1, device=problem.device) for path in paths}
        for path, score in scores.items():
            ranks[path][torch.from_numpy(split.rows)] = ranks_of(score).to(ranks[path])
        return ranks
