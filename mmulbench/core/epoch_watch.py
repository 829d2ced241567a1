"""Gather what the epochs of a training come to, for loggers; nothing of it is charged or changes a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Batch, PairData
from mmulbench.core.model import ModelOutput, MultimodalModel
from mmulbench.progress import Progress
from mmulbench.seeds import generator, torch_seeded

Forward = Callable[[int, MultimodalModel, Batch], ModelOutput]
"""Calls a model on a batch, given its size: a meter does, and charges for it."""

LOSS = "loss"
"""Name of a training loss; that of steps of other kinds than `PLAIN` has the kind after a slash."""

PLAIN = ("own loss", "step")
"""Kinds of steps of which a training has one alone."""

VALIDATION = "validation"
"""Name of the model's own loss on validation pairs."""


class EpochWatch:
    """Takes the losses of a training's steps, and tells after each epoch their means and the validation loss.

    Args:
        progress: what is told.
        meter: meter of the training, which leaves out what is done here.
        validation_loss: function that returns the model's loss on validation pairs; None without such pairs.
    """

    def __init__(
        self, progress: Progress, meter: CostMeter, validation_loss: Callable[[], float] | None
    ) -> None:
        self._progress = progress
        self._meter = meter
        self._validation_loss = validation_loss
        self._losses: dict[str, list[float]] = {}

    def step(self, kind: str, loss: float) -> None:
        """Take the loss of a step.

        Args:
            kind: kind of the step.
            loss: its loss.
        """
        self._losses.setdefault(kind, []).append(loss)

    def epoch(self, number: int) -> None:
        """Tell what an epoch came to.

        Args:
            number: number of the epoch, from 1.
        """
        with self._meter.aside():
            numbers = {
                LOSS if kind in PLAIN else f"{LOSS}/{kind}": sum(losses) / len(losses)
                for kind, losses in self._losses.items()
            }
            if self._validation_loss is not None:
                numbers[VALIDATION] = self._validation_loss()
            self._losses = {}
            self._progress.epoch(number, numbers)


def watch_training(
    progress: Progress,
    model: MultimodalModel,
    meter: CostMeter,
    validation: PairData | None,
    batch_size: int,
    seed: int,
) -> EpochWatch | None:
    """Return what watches a training; None where nobody listens, so that it costs nothing.

    Args:
        progress: what is told.
        model: model that trains.
        meter: meter of the training.
        validation: validation pairs; None or empty for none.
        batch_size: pairs in a batch of them.
        seed: seed of the run.
    """
    if not progress.listens:
        return None
    if validation is None or not len(validation):
        return EpochWatch(progress, meter, None)
    return EpochWatch(progress, meter, lambda: _loss_aside(model, validation, batch_size, seed))


def _loss_aside(model: MultimodalModel, data: PairData, batch_size: int, seed: int) -> float:
    """Measure a loss, and leave each part of the model in the mode that it was in: some may be frozen."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        return mean_loss(model.eval(), data, batch_size, seed, lambda _, model, batch: model(batch))
    finally:
        for module, mode in modes:
            module.training = mode


def mean_loss(model: MultimodalModel, data: PairData, batch_size: int, seed: int, forward: Forward) -> float:
    """Compute a model's own loss on pairs, each unit once, with the same random draws at each call.

    Args:
        model: model in evaluation mode.
        data: pairs, at least one.
        batch_size: pairs in a batch, on which a contrastive loss depends.
        seed: seed of the run.
        forward: calls the model.
    """
    total, data = 0.0, replace(data, sampling="unit")
    with torch.no_grad(), torch_seeded(seed, "mean loss"):
        for batch in data.epoch(batch_size, generator(seed, "mean loss order")):
            total += forward(len(batch), model, batch).loss.item() * len(batch)
    return total / len(data)
