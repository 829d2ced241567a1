"""State the contract of an unlearning method, and the problem it is given."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Batch, PairData
from mmulbench.core.epoch_watch import mean_loss, watch_training
from mmulbench.core.model import Group, MultimodalModel
from mmulbench.core.original_outputs import OriginalOutputs
from mmulbench.core.search_space import NoSettings
from mmulbench.core.training import Checkpoints, EarlyStop, Learner, Recipe, fit
from mmulbench.errors import NotApplicable
from mmulbench.progress import Progress
from mmulbench.seeds import generator

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from mmulbench.core.task import Task


@dataclass
class UnlearningProblem:
    """Holds everything that a method may use, which does not include the test set.

    Attributes:
        original: the trained model, frozen and in evaluation mode; never change it.
        forget: the forget set Df; an epoch visits every pair once.
        retain: the retain set Dr.
        validation: held-out pairs, the only data that a method may select by.
        outputs: cached outputs of the original on Df and Dr.
        recipe: how the original was trained.
        seed: training seed of the run.
        fresh_model: function that returns a freshly initialised model, given the seed of its initial weights;
            those of ``seed`` are the original's.
        meter: meter that counts what the method costs.
        progress: shows bars.
        checkpoints: checkpoints of the method's trainings, for `mmulbench.core.training.descend`.
    """

    original: MultimodalModel
    forget: PairData
    retain: PairData
    validation: PairData
    outputs: OriginalOutputs
    recipe: Recipe
    seed: int
    fresh_model: Callable[[int], MultimodalModel]
    meter: CostMeter
    progress: Progress
    checkpoints: Checkpoints = field(default_factory=Checkpoints)

    @property
    def device(self) -> torch.device:
        """Device of models and batches."""
        return self.retain.features.device

    def copy_of_original(self) -> MultimodalModel:
        """Return a copy of the original that a method may change."""
        return copy.deepcopy(self.original)

    def generator(self, name: str) -> np.random.Generator:
        """Return the random generator of one named use."""
        return generator(self.seed, name)

    def learner(
        self, model: MultimodalModel, lr: float, trainable: Group = "all", weight_decay: float = 0.0
    ) -> Learner:
        """Return AdamW over a parameter group of a model; the other parameters stay as they are.

        Args:
            model: model that trains.
            lr: learning rate.
            trainable: name of the group, see `MultimodalModel.parameter_group`.
            weight_decay: weight decay.
        """
        return Learner(
            model, model.parameter_group(trainable), lr=lr, weight_decay=weight_decay, meter=self.meter
        )

    def early_stop(self, model: MultimodalModel, patience: int) -> EarlyStop:
        """Return what stops training by the model's loss on validation pairs; measuring it is charged.

        Args:
            model: model that trains.
            patience: epochs in a row without a lower loss before stopping; 0 never stops.
        """
        size = self.batch_size(0)
        watch = watch_training(self.progress, model, self.meter, self.validation, size, self.seed)
        return EarlyStop(model, patience, lambda: self.mean_loss(model, self.validation), watch)

    def batch_size(self, asked: int) -> int:
        """Return the number of pairs in a batch: what is asked for, or the recipe's where that is 0."""
        return asked or self.recipe.batch_size

    def train_from_scratch(self, data: PairData, seed: int | None = None) -> MultimodalModel:
        """Train a fresh model on ``data`` by the original's recipe.

        Args:
            data: training pairs.
            seed: training seed, of the initial weights, the order and all other draws; that of the original
                by default.
        """
        seed = self.seed if seed is None else seed
        model = self.fresh_model(seed)
        told = self.meter, self.progress, "train", self.checkpoints, self.validation
        return fit(model, data, self.recipe, seed, *told)

    def forget_epochs(self, epochs: int, batch_size: int) -> Iterator[tuple[Batch]]:
        """Yield the batches of several passes over Df, each as a tuple of one.

        Args:
            epochs: number of passes.
            batch_size: pairs in a batch; 0 is the recipe's.
        """
        rng = self.generator("forget order")
        for _ in range(epochs):
            for batch in self.forget.epoch(self.batch_size(batch_size), rng):
                yield (batch,)

    def retain_epochs(self, epochs: int, batch_size: int) -> Iterator[tuple[Batch]]:
        """Yield the batches of several passes over Dr, each as a tuple of one.

        Args:
            epochs: number of passes.
            batch_size: pairs in a batch; 0 is the recipe's.
        """
        rng = self.generator("retain order")
        for _ in range(epochs):
            for batch in self.retain.epoch(self.batch_size(batch_size), rng):
                yield (batch,)

    def paired_epochs(self, epochs: int, batch_size: int) -> Iterator[tuple[Batch, Batch]]:
        """Yield a batch of Df beside each batch of Dr; Df is repeated as often as needed.

        Args:
            epochs: number of passes over Dr.
            batch_size: pairs in a batch of either set; 0 is the recipe's.
        """
        forget = self.forget.cycle(self.batch_size(batch_size), self.generator("forget order"))
        for (retain,) in self.retain_epochs(epochs, batch_size):
            yield next(forget), retain

    def mean_loss(self, model: MultimodalModel, data: PairData) -> float:
        """Return a model's own loss on ``data`` in evaluation mode, with the same random draws at each call.

        Each unit counts once with one of its pairs, so that sets with few and with many pairs compare.
        Batches are those of training, on whose size a contrastive loss depends.

        Args:
            model: model that is measured; it goes back to the mode it was in.
            data: set it is measured on.

        Raises:
            NotApplicable: The set is empty, as where a task has no validation pairs.
        """
        if not len(data):
            raise NotApplicable("there are no pairs to measure the loss on, such as validation pairs")
        training = model.training
        charged = partial(self.meter.run, "mean loss")
        loss = mean_loss(model.eval(), data, self.batch_size(0), self.seed, charged)
        model.train(training)
        return loss


class Method(ABC):
    """Describes one unlearning method by its settings and by ``unlearn``.

    Register it in a file of its own name in ``methods/``: ``@METHODS.register("my_method")``. A method with
    settings of its own nests a frozen dataclass in its class, and says once that ``self.config`` is one::

        @dataclass(frozen=True)
        class Config(GradientConfig):
            alpha: Annotated[float, Field(ge=0)] = 1.0

        config: Config

    The last line is for type checkers alone, which then know the type of ``self.config.alpha``; the method
    runs without it too.

    Attributes:
        config: settings of this method, an instance of ``Config``.
    """

    # A type parameter would say the same less simply: ``class MyMethod(Method["MyMethod.Config"])``.
    Config: ClassVar[type[DataclassInstance]] = NoSettings
    """Settings of the method: a frozen dataclass whose fields have defaults and say where those come from."""

    config: DataclassInstance

    is_reference: ClassVar[bool] = False
    """Whether this is retrain, the model that every other method is compared with."""

    is_noise_floor: ClassVar[bool] = False
    """Whether this is retrain by another training seed, whose distance to retrain is what chance alone makes.

    Like retrain it unlearns nothing, so that counts, tuning and rankings of methods leave it out."""

    def __init__(self, config: DataclassInstance | None = None) -> None:
        self.config = config if config is not None else self.Config()

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Return why the method has no meaning on this task, or None where it applies."""
        return None

    @abstractmethod
    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return the unlearned model; the original must stay as it is.

        Raises:
            Diverged: A loss or parameter is no longer finite.
            NotApplicable: The model lacks what the method needs.
        """
