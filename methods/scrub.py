"""SCRUB: move away from the original on the forget set, stay close to it on the retain set."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor

from mmulbench import (
    METHODS,
    Batch,
    BatchSize,
    Checkpoints,
    Epochs,
    LearningRate,
    Method,
    MultimodalModel,
    Patience,
    Phase,
    Search,
    UnlearningProblem,
    check_finite,
    descend,
    torch_seeded,
)
from mmulbench.methods._paths import divergence


@METHODS.register("scrub")
class Scrub(Method):
    """Alternate max epochs on Df and min epochs on Dr (Kurmanji et al. 2023, arXiv 2302.09880).

    max: d(x) = KL(p_original(x) || p_unlearned(x)) over Df, in the first ``msteps`` epochs;
    min: alpha * d(x) + gamma * CE over Dr, in every epoch.
    d is the mean over association paths, at temperature T and scaled by T^2. With ``rewind`` the checkpoint
    is kept whose Df loss is closest to the last model's loss on validation pairs (their SCRUB+R; the released
    code, meghdadk/SCRUB, compares errors, and takes validation data of the deleted classes only).
    """

    @dataclass(frozen=True)
    class Config:
        """Weights, T and msteps are those of large_scale_unlearning.ipynb there; the rest is shared by all.

        Attributes:
            epochs: min epochs.
            msteps: epochs that begin with a max epoch (other notebooks: 2 to 5).
            lr: AdamW's learning rate.
            batch_size: pairs a step; 0: as many as the task's recipe has.
            patience: epochs without a lower validation loss before stopping; 0: run all.
            alpha: weight of d on Dr (other notebooks: 0.001 to 0.5).
            gamma: weight of the task's loss on Dr (other notebooks: mostly 1).
            temperature: T (other notebooks: 2 or 4).
            rewind: return the checkpoint that forgot as much as held-out data is unknown.
        """

        epochs: Epochs = 5
        msteps: Annotated[int, Field(ge=0), Search(1, 5)] = 2
        lr: LearningRate = 3e-4
        batch_size: BatchSize = 0
        patience: Patience = 0
        alpha: Annotated[float, Field(ge=0), Search(1e-4, 1.0, log=True)] = 0.001
        gamma: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 0.99
        temperature: Annotated[float, Field(gt=0), Search(1.0, 8.0, log=True)] = 4.0
        rewind: bool = False

    config: Config

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Alternate, then rewind if asked to."""
        config = self.config
        model = problem.copy_of_original().train()
        learner = problem.learner(model, config.lr)
        forget, retain = problem.forget, problem.retain
        size = problem.batch_size(config.batch_size)
        steps = forget.steps(size) * min(config.msteps, config.epochs)
        tick = problem.progress.counter(steps + retain.steps(size) * config.epochs, "Scrub")
        stop = problem.early_stop(model, config.patience)
        kept: list[tuple[float, dict[str, Tensor]]] = []

        def ended() -> bool:
            if config.rewind:
                kept.append((problem.mean_loss(model, forget), copy.deepcopy(model.state_dict())))
            return stop.epoch_ended()

        # What it rewinds to is not part of a checkpoint.
        checkpoints = Checkpoints() if config.rewind else problem.checkpoints
        with torch_seeded(problem.seed, "unlearning"):
            descend(learner, self.epochs(model, problem), tick, stop, checkpoints, ended)
        if kept:
            target = problem.mean_loss(model, problem.validation)
            model.load_state_dict(min(kept, key=lambda item: abs(item[0] - target))[1])
        else:
            stop.restore()
        check_finite(model)
        return model.eval()

    def epochs(self, model: MultimodalModel, problem: UnlearningProblem) -> Iterator[list[Phase]]:
        """Yield the phases of each epoch: a max phase on Df in the first ``msteps``, and a min phase on Dr.

        Args:
            model: model that trains.
            problem: gives both sets.
        """
        config, rng = self.config, problem.generator("order")
        size = problem.batch_size(config.batch_size)
        for number in range(config.epochs):
            phases = []
            if number < config.msteps:
                batches = problem.forget.epoch(size, rng)
                phases.append(Phase(batches, lambda b: self.max_loss(model, b, problem), "max step"))
            batches = problem.retain.epoch(size, rng)
            phases.append(Phase(batches, lambda b: self.min_loss(model, b, problem), "min step"))
            yield phases

    def max_loss(self, model: MultimodalModel, forget: Batch, problem: UnlearningProblem) -> Tensor:
        """Return -d on a batch of Df.

        Args:
            model: model that trains.
            forget: batch of Df.
            problem: gives the original's outputs.
        """
        teacher = problem.outputs.logits(forget)
        return -divergence(teacher, model(forget).logits, self.config.temperature)

    def min_loss(self, model: MultimodalModel, retain: Batch, problem: UnlearningProblem) -> Tensor:
        """Return alpha * d + gamma * CE on a batch of Dr.

        Args:
            model: model that trains.
            retain: batch of Dr.
            problem: gives the original's outputs.
        """
        teacher, student = problem.outputs.logits(retain), model(retain)
        distance = divergence(teacher, student.logits, self.config.temperature)
        return self.config.alpha * distance + self.config.gamma * student.loss
