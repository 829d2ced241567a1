"""Train in one loop, which the original, retrain and every gradient-based method share."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Batch, PairData, Sampling
from mmulbench.core.epoch_watch import EpochWatch, watch_training
from mmulbench.core.model import MultimodalModel
from mmulbench.errors import Diverged
from mmulbench.progress import Progress
from mmulbench.seeds import generator, torch_seeded


@dataclass(frozen=True)
class Recipe:
    """Says how the original and retrain are trained.

    Attributes:
        epochs: passes over the training set; 0 leaves the initial weights of a checkpoint as they are.
        lr: peak learning rate of AdamW under a one-cycle schedule.
        weight_decay: weight decay of AdamW.
        batch_size: true pairs a step.
        sampling: ``unit``: an epoch sees every unit once with one of its pairs; ``pair``: every pair once.
    """

    epochs: Annotated[int, Field(ge=0)] = 30
    lr: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    batch_size: Annotated[int, Field(ge=2)] = 128
    sampling: Sampling = "unit"


Schedule = torch.optim.lr_scheduler.LRScheduler


class Learner:
    """Holds a model, the parameters that train, their optimiser, and the meter that counts the cost.

    Args:
        model: model whose parameters train.
        parameters: exactly the parameters to train; all others of the model are left without gradients.
        lr: learning rate of AdamW.
        weight_decay: weight decay of AdamW.
        meter: meter that is charged for every step.
    """

    def __init__(
        self,
        model: MultimodalModel,
        parameters: list[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        meter: CostMeter,
    ) -> None:
        self.model = model
        self.parameters = parameters
        self.meter = meter
        self.schedule: Schedule | None = None
        self.loss = math.nan  # of the last step
        chosen = {id(p) for p in parameters}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in chosen)
        self.device = parameters[0].device
        self.optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay, fused=True)

    def one_cycle(self, lr: float, steps: int) -> None:
        """Follow a one-cycle schedule: warm up to the peak learning rate and anneal to nothing.

        Args:
            lr: peak learning rate.
            steps: number of steps in the schedule.
        """
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, lr, total_steps=steps)

    def step(self, item: Batch | tuple[Batch, ...], loss: Callable[..., Tensor], kind: str) -> None:
        """Descend once on a loss.

        Args:
            item: a batch, or batches that become the loss's arguments.
            loss: function of the batches that returns a scalar.
            kind: name of this kind of step for the cost meter.

        Raises:
            Diverged: The loss is NaN or infinite.
        """
        sets = item if isinstance(item, tuple) else (item,)
        samples = sum(len(batch) for batch in sets)
        self.meter.step(kind, samples, self._step, loss, sets)

    def _step(self, loss: Callable[..., Tensor], sets: tuple[Batch, ...]) -> None:
        value = loss(*sets)
        self.loss = value.item()
        if not math.isfinite(self.loss):
            raise Diverged(f"the loss became {self.loss}")
        self.optimizer.zero_grad(set_to_none=True)
        if value.requires_grad:
            torch.autograd.backward(value)
            self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()


class EarlyStop:
    """Stops when the validation loss no longer falls, and returns to the epoch where it was lowest.

    Args:
        model: model that is judged after every epoch.
        patience: epochs in a row without a lower loss after which to stop; 0 judges nothing and never stops.
        validation_loss: function that returns the validation loss of the model as it is.
        watch: what is told of steps and epochs besides; None where nobody listens.
    """

    def __init__(
        self,
        model: nn.Module,
        patience: int,
        validation_loss: Callable[[], float],
        watch: EpochWatch | None = None,
    ) -> None:
        self._model = model
        self._patience = patience
        self._loss = validation_loss
        self.watch = watch
        self._best = math.inf
        self._state: dict[str, Tensor] = {}
        self._worse = 0

    def epoch_ended(self) -> bool:
        """Judge the model, and return whether it is time to stop."""
        if not self._patience:
            return False
        loss = self._loss()
        if loss < self._best:
            self._best, self._state, self._worse = loss, copy.deepcopy(self._model.state_dict()), 0
        else:
            self._worse += 1
        return self._worse >= self._patience

    def restore(self) -> None:
        """Give the model the weights of its best epoch."""
        if self._state:
            self._model.load_state_dict(self._state)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the best weights (empty before there are any) and the rest of the state as JSON."""
        return self._state, {"best": self._best if self._state else None, "worse": self._worse}

    def restore_state(self, best: dict[str, Tensor], judged: Mapping[str, Any]) -> None:
        """Continue from a state that another process returned.

        Args:
            best: weights of the best epoch; empty before there is one.
            judged: the rest of the state.
        """
        self._state, self._worse = best, judged["worse"]
        self._best = math.inf if judged["best"] is None else judged["best"]


def no_early_stop(model: nn.Module, watch: EpochWatch | None = None) -> EarlyStop:
    """Return what lets training go on to its end.

    Args:
        model: model that trains.
        watch: sees each epoch; None where nobody watches.
    """
    return EarlyStop(model, 0, lambda: math.inf, watch)


@dataclass(frozen=True)
class Phase:
    """Describes a pass over a set, of which an epoch consists.

    Attributes:
        batches: batches, or tuples of them. They are drawn by generators of the phase's own, so that they can
            be drawn again.
        loss: function of the batches that returns a scalar and keeps nothing from step to step.
        kind: name of this kind of step for the cost meter.
    """

    batches: Iterable[Any]
    loss: Callable[..., Tensor]
    kind: str


class Checkpoints:
    """Keeps nothing, which suits short trainings; it is also the base of what keeps something."""

    def take_up(self, learner: Learner, stop: EarlyStop) -> int:
        """Begin a training or continue where a killed process was, and return how many steps are done.

        Args:
            learner: learner that gets the state of the checkpoint, if there is one.
            stop: early stop that gets its state likewise.
        """
        return 0

    def before_step(self, learner: Learner, stop: EarlyStop, done: int) -> None:
        """Keep the state before a step, where it is time to.

        Args:
            learner: learner whose state is kept.
            stop: early stop whose state is kept.
            done: number of steps done so far.
        """


def descend(
    learner: Learner,
    epochs: Iterable[Iterable[Phase]],
    tick: Callable[[], None],
    stop: EarlyStop,
    checkpoints: Checkpoints,
    epoch_ended: Callable[[], bool] | None = None,
) -> None:
    """Descend on the losses of all epochs, or on those that a killed process did not reach.

    Args:
        learner: learner that takes the steps.
        epochs: phases of each epoch.
        tick: function called for each step.
        stop: early stop that judges the model after each epoch.
        checkpoints: place where a killed process left its state.
        epoch_ended: function called after each epoch in place of ``stop.epoch_ended``; returns whether to
            stop.

    Raises:
        Diverged: A loss is NaN or infinite.
    """
    before, done = checkpoints.take_up(learner, stop), 0
    for number, phases in enumerate(epochs, 1):
        for phase in phases:
            for item in phase.batches:
                if done >= before:
                    checkpoints.before_step(learner, stop, done)
                    learner.step(item, phase.loss, phase.kind)
                    if stop.watch is not None:
                        stop.watch.step(phase.kind, learner.loss)
                tick()
                done += 1
        if done > before:
            if stop.watch is not None:
                stop.watch.epoch(number)
            if (epoch_ended or stop.epoch_ended)():
                break


def fit(
    model: MultimodalModel,
    data: PairData,
    recipe: Recipe,
    seed: int,
    meter: CostMeter,
    progress: Progress,
    description: str,
    checkpoints: Checkpoints,
    validation: PairData | None = None,
) -> MultimodalModel:
    """Train a fresh model by the recipe, as the original and retrain are trained.

    Args:
        model: model that is trained in place.
        data: training pairs.
        recipe: epochs, learning rate, batch size.
        seed: seed of the data order and of every random draw inside the model.
        meter: meter that is charged for the training.
        progress: shows a bar.
        description: text beside the bar.
        checkpoints: place where a killed process left its state.
        validation: held-out pairs whose loss a listener is told after each epoch; None for none.

    Returns:
        The same model, in evaluation mode.

    Raises:
        Diverged: The loss or a parameter is NaN or infinite.
    """
    if not recipe.epochs:
        return model.eval()
    steps = data.steps(recipe.batch_size) * recipe.epochs
    learner = Learner(
        model, list(model.parameters()), lr=recipe.lr, weight_decay=recipe.weight_decay, meter=meter
    )
    learner.one_cycle(recipe.lr, steps)
    tick = progress.counter(steps, description)
    rng = generator(seed, "order")
    epochs = (
        [Phase(data.epoch(recipe.batch_size, rng), own_loss(model), "own loss")] for _ in range(recipe.epochs)
    )
    watch = watch_training(progress, model, meter, validation, recipe.batch_size, seed)
    with torch_seeded(seed, "training"):
        descend(learner, epochs, tick, no_early_stop(model.train(), watch), checkpoints)
    check_finite(model)
    return model.eval()


def own_loss(model: MultimodalModel) -> Callable[[Batch], Tensor]:
    """Return the task's own training loss of a model, as a function of a batch."""
    return lambda batch: model(batch).loss


def check_finite(model: nn.Module) -> None:
    """Make sure that all parameters are finite.

    Raises:
        Diverged: A parameter is NaN or infinite.
    """
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise Diverged(f"parameter {name} is no longer finite")
