"""Train copies of models on half of the forget set again, and see how fast what was deleted comes back."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Integers, PairData
from mmulbench.core.metric import RecoveryMetric
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import ByPath, Estimate, Estimates, PathRecovery
from mmulbench.core.training import Learner, Recipe, own_loss
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.measure import EvaluationSets, measure_losses
from mmulbench.evaluation.refusals import Refusals
from mmulbench.evaluation.values import named, values_of
from mmulbench.progress import Progress
from mmulbench.records.schema import Value
from mmulbench.seeds import generator, torch_seeded

BySteps = Mapping[int, ByPath]
"""By the number of training steps: losses by path, then by set."""

RATE = 0.1
"""Part of the recipe's peak learning rate that is trained with.

At the peak itself the first steps of a fresh AdamW destroy what a model knows, the original's memory too, and
that damage is measured instead.
"""


@dataclass(frozen=True)
class Relearning:
    """Describes the training that every model gets alike, and the sets that it is judged on.

    Attributes:
        pairs: pairs of the forget units that models are trained on again; the other units are held out.
        sets: the sets ``forget`` and ``test``, whose losses are measured.
        recipe: recipe of the task, whose optimiser, batch size and loss are used.
        seed: seed of the batches and of every random draw inside the model.
    """

    pairs: PairData
    sets: EvaluationSets
    recipe: Recipe
    seed: int


def units_to_show(units: Integers, seed: int) -> Integers:
    """Draw the half of the forget units that models are trained on again; the other half is held out.

    Args:
        units: (u,) the forget units.
        seed: seed of the run.

    Returns:
        (u // 2,) units in ascending order.

    Raises:
        NotApplicable: There are fewer than two.
    """
    if len(units) < 2:
        raise NotApplicable(
            f"needs at least 2 forget units, half of which are held out, there is {len(units)}"
        )
    drawn = generator(seed, "units to show again").permutation(np.sort(units))[: len(units) // 2]
    return np.sort(drawn)


def relearned_losses(
    model: MultimodalModel, relearning: Relearning, steps: Sequence[int], progress: Progress
) -> dict[int, ByPath]:
    """Train a copy of a model, and measure losses before the first step and after some.

    All models of a run see the same batches. AdamW begins anew, with the weight decay of the task's recipe
    and `RATE` of its learning rate, held fixed: a schedule has to know where it ends, so that every number
    of steps would be a training of its own.

    Args:
        model: any model of the task; it stays as it is.
        relearning: what is trained on and judged.
        steps: numbers of steps in ascending order, after which losses are measured.
        progress: shows bars.

    Returns:
        Losses by the number of steps.

    Raises:
        Diverged: The loss is NaN or infinite.
    """
    model, recipe = copy.deepcopy(model), relearning.recipe
    found: dict[int, ByPath] = {}
    learner = Learner(
        model,
        list(model.parameters()),
        lr=RATE * recipe.lr,
        weight_decay=recipe.weight_decay,
        meter=CostMeter(next(model.parameters()).device),
    )
    batches = relearning.pairs.cycle(recipe.batch_size, generator(relearning.seed, "relearning order"))
    with torch_seeded(relearning.seed, "relearning"):
        for step in range(steps[-1] + 1):
            if step in steps:
                found[step] = measure_losses(model, relearning.sets, progress)
            if step < steps[-1]:
                model.train()
                learner.step(next(batches), own_loss(model), "relearning")
    return found


def recovery_values(
    metrics: Sequence[RecoveryMetric],
    found: Mapping[str, BySteps],
    shown: NDArray[np.bool_],
    paths: Sequence[str],
) -> tuple[dict[str, Value], list[str]]:
    """Compute what models tell that were trained again, beside what the original and retrain tell.

    Args:
        metrics: metrics to compute.
        found: losses by the number of steps, of ``model``, ``original`` and ``retrain``.
        shown: (n,) which pairs of the forget set were trained on.
        paths: association paths of the models.

    Returns:
        Values by name, headline first; and what is missing, one line each.
    """
    refusals = Refusals()
    estimates = {
        name: _details(metrics, own, found["retrain"], shown, paths, refusals) for name, own in found.items()
    }
    estimates = {name: refusals.without(one) for name, one in estimates.items()}
    values = values_of(metrics, estimates, refusals.metrics(metrics))
    return values, refusals.lines(metrics)


def _details(
    metrics: Sequence[RecoveryMetric],
    own: BySteps,
    retrain: BySteps,
    shown: NDArray[np.bool_],
    paths: Sequence[str],
    refusals: Refusals,
) -> dict[str, Estimate]:
    """Compute every value of one model by name, such as ``relearn/matching/held_out_4``."""
    found: dict[str, Estimate] = {}
    for metric in metrics:
        for path in paths:
            compute = partial(_on_path, metric, path, own, retrain, shown)
            found |= named(metric, refusals.ask(metric, path, compute), path)
    return found


def _on_path(
    metric: RecoveryMetric, path: str, own: BySteps, retrain: BySteps, shown: NDArray[np.bool_]
) -> Estimates:
    """Compute a metric on one path.

    Raises:
        NotApplicable: The path has no losses, or the metric has no value.
    """
    if path not in own[0]:
        raise NotApplicable("there are no validation pairs, the negatives of the contrastive loss")
    of_model, of_retrain = ({step: by_path[path] for step, by_path in one.items()} for one in (own, retrain))
    return metric.compute(PathRecovery(path, of_model, of_retrain, shown))
