"""State what methods that descend on a loss share: their settings, and the descent itself."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import AfterValidator, Field
from torch import Tensor

from mmulbench.core.data import Batch
from mmulbench.core.method import Method, UnlearningProblem
from mmulbench.core.model import Group, MultimodalModel
from mmulbench.core.search_space import Search
from mmulbench.core.training import Learner, Phase, check_finite, descend
from mmulbench.seeds import torch_seeded

Epochs = Annotated[int, Field(ge=1), Search(1, 10)]
"""Number of passes over a set; tuning goes up to twice the default."""

LearningRate = Annotated[float, Field(gt=0), Search(1e-5, 3e-2, log=True)]
"""Learning rate of AdamW; tuning goes from a thirtieth to a hundred times the default."""


def _zero_or_several(size: int) -> int:
    if size == 1:
        raise ValueError("a batch needs 2 pairs, each other's negatives; 0 stands for the recipe's size")
    return size


BatchSize = Annotated[int, Field(ge=0), AfterValidator(_zero_or_several)]
"""Number of pairs of each set a step; 0 is the recipe's (`UnlearningProblem.batch_size`)."""

Patience = Annotated[int, Field(ge=0)]
"""Number of epochs in a row without a lower validation loss before stopping; 0 never stops."""


@dataclass(frozen=True)
class DescentConfig:
    """Holds the settings that every method has which descends on a loss.

    Epochs, learning rate and batch size are the same for every method, so that none is favoured before
    tuning: a tenth of the epochs that train the original of the emoji task, at a third of its peak learning
    rate, in batches of the recipe's size. Smaller batches take more steps an epoch, and where a step has a
    cost of its own, as with a graph that is encoded whole, they cost as much as retraining.

    Attributes:
        epochs: passes over the retain set (over the forget set for a method that reads nothing else).
        lr: AdamW's learning rate.
        batch_size: pairs of each set a step; 0: as many as the task's recipe has.
    """

    epochs: Epochs = 5
    lr: LearningRate = 3e-4
    batch_size: BatchSize = 0


@dataclass(frozen=True)
class GradientConfig(DescentConfig):
    """Holds the settings shared by the gradient-based methods.

    Attributes:
        patience: stop after so many epochs without a lower loss on validation pairs, and return the epoch
            where it was lowest; 0: run all epochs, as the paper does.
    """

    patience: Patience = 0


@runtime_checkable
class StopsEarly(Protocol):
    """Describes settings with a patience, which ends training early."""

    @property
    def patience(self) -> int:
        """Epochs in a row without a lower validation loss before stopping."""


class Descent(Method):
    """Descends on a loss from a copy of the original."""

    Config = GradientConfig

    config: DescentConfig

    def trainable(self) -> Group:
        """Return the name of the parameter group that trains."""
        return "all"

    def start(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return the model that training starts from."""
        return problem.copy_of_original()

    def learner(self, model: MultimodalModel, problem: UnlearningProblem) -> Learner:
        """Return what trains the model.

        Args:
            model: model that `start` returned.
            problem: problem whose meter counts the steps.
        """
        return problem.learner(model, self.config.lr, self.trainable())

    @abstractmethod
    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return the batches of the whole run, and how many there are in an epoch."""

    @abstractmethod
    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[..., Tensor]:
        """Return the loss as a function of what `batches` yields; it is asked for once a run.

        It keeps nothing from step to step, so that a run can continue in the middle of training.

        Args:
            model: model that trains.
            problem: the problem.
        """

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Descend on the loss."""
        model = self.start(problem).train()
        learner = self.learner(model, problem)
        batches, steps = self.batches(problem)
        loss = self.loss_of(model, problem)
        tick = problem.progress.counter(steps * self.config.epochs, type(self).__name__)
        patience = self.config.patience if isinstance(self.config, StopsEarly) else 0
        stop = problem.early_stop(model, patience)
        epochs = ([Phase(itertools.islice(batches, steps), loss, "step")] for _ in range(self.config.epochs))
        with torch_seeded(problem.seed, "unlearning"):
            descend(learner, epochs, tick, stop, problem.checkpoints)
        stop.restore()
        check_finite(model)
        return model.eval()


class GradientMethod(Descent):
    """Descends on one loss of paired batches of Df and Dr; subclasses write ``loss``.

    An epoch walks over Dr once and repeats Df as often as needed.
    """

    @abstractmethod
    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the scalar to descend on.

        Args:
            model: model that trains.
            forget: batch of Df.
            retain: batch of Dr.
            problem: the problem, with the original and its outputs.
        """

    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return batches of Df and Dr side by side."""
        epochs, size = self.config.epochs, problem.batch_size(self.config.batch_size)
        return problem.paired_epochs(epochs, size), problem.retain.steps(size)

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[..., Tensor]:
        """Return ``loss`` as a function of a batch of each set."""
        return lambda forget, retain: self.loss(model, forget, retain, problem)


class OneSetMethod(Descent):
    """Descends on one loss of batches of a single set.

    Subclasses write ``loss`` and say in ``reads`` which set it is.
    """

    reads: ClassVar[Literal["forget", "retain"]]

    @abstractmethod
    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return the scalar to descend on.

        Args:
            model: model that trains.
            batch: batch of the set that ``reads`` names.
            problem: the problem, with the original and its outputs.
        """

    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return batches of the one set."""
        epochs, size = self.config.epochs, problem.batch_size(self.config.batch_size)
        if self.reads == "forget":
            return problem.forget_epochs(epochs, size), problem.forget.steps(size)
        return problem.retain_epochs(epochs, size), problem.retain.steps(size)

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[..., Tensor]:
        """Return ``loss`` as a function of a batch."""
        return lambda batch: self.loss(model, batch, problem)
