"""Original and retrain: trained once, then found in the cache by all runs that need them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from mmulbench.cache.entry import Artifact
from mmulbench.code_digest import code_digest
from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Integers
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import METHODS
from mmulbench.core.training import Checkpoints, fit
from mmulbench.exports.read import GivenModel
from mmulbench.records.environment import describe_making
from mmulbench.records.schema import Cost, Making
from mmulbench.runs.divided_model import divided
from mmulbench.runs.prepare import PreparedTask
from mmulbench.seeds import torch_seeded

REFERENCE = "retrain"
"""Registered name of the method that every other is compared with."""


@dataclass(frozen=True)
class Trained:
    """Holds a model and what it cost.

    Attributes:
        model: the model, in evaluation mode.
        cost: cost of making it: of training an original or retrain, or of unlearning.
        made: where it was trained; None where that is not known, or of this run.
        given: whether it was made elsewhere, so that nobody here knows what it cost.
    """

    model: MultimodalModel
    cost: Cost
    made: Making | None = None
    given: bool = False


def digest(*arrays: Integers | Tensor) -> str:
    """Return the SHA-256 of the contents of arrays of any shape, 64 hexadecimal digits."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def weights_digest(model: nn.Module) -> str:
    """Return the SHA-256 of a model's parameter names and weights, 64 hexadecimal digits."""
    state = model.state_dict()
    return hashlib.sha256(
        "".join(f"{name}{digest(value.detach().cpu())}" for name, value in state.items()).encode()
    ).hexdigest()


def fresh_model(prepared: PreparedTask, seed: int) -> MultimodalModel:
    """Return a freshly initialised model, which is the same for the same seed.

    Args:
        prepared: task and backbone.
        seed: seed of the initial weights.
    """
    with torch_seeded(seed, "initial weights"):
        model = prepared.backbone.build(prepared.task.shape).to(prepared.workspace.device)
    return divided(model, prepared.backbone.whole)


def original_inputs(prepared: PreparedTask, seed: int) -> dict[str, Any]:
    """Return everything that an original depends on, for its cache key.

    Args:
        prepared: task and backbone.
        seed: training seed.
    """
    given = prepared.given.original
    return {**prepared.key, "seed": seed, **({} if given is None else {"given": given.digest})}


def retrain_inputs(prepared: PreparedTask, forget: ForgetSet, seed: int) -> dict[str, Any]:
    """Return everything that a retrain depends on, for its cache key.

    Args:
        prepared: task and backbone.
        forget: the forget set.
        seed: training seed.
    """
    return {
        **original_inputs(prepared, seed),
        **forget.key,
        "method": code_digest(METHODS.module_of(REFERENCE)),
    }


def load_original(prepared: PreparedTask, seed: int) -> Trained:
    """Load the original, which is trained on the whole training split, or train it.

    Args:
        prepared: task and backbone.
        seed: training seed.

    Returns:
        The frozen original.

    Raises:
        Diverged: Training diverges.
    """
    workspace = prepared.workspace
    if prepared.given.original is not None:
        return given_model(prepared.given.original, prepared)

    def build(checkpoints: Checkpoints) -> Artifact:
        model = fresh_model(prepared, seed)
        with CostMeter(workspace.device) as meter:
            train, validation = map(prepared.pairs, (prepared.data.train, prepared.data.validation))
            told = workspace.progress, "train original", checkpoints, validation
            fit(model, train, prepared.recipe, seed, meter, *told)
        return _as_artifact(model, meter.cost(), prepared)

    return _load("original", original_inputs(prepared, seed), build, prepared, seed)


def load_retrain(
    prepared: PreparedTask,
    forget: ForgetSet,
    seed: int,
    make_problem: Callable[[Checkpoints], UnlearningProblem],
) -> Trained:
    """Load the retrain for one forget set, or have the method retrain make it.

    Args:
        prepared: task and backbone.
        forget: the forget set.
        seed: training seed.
        make_problem: makes the problem that the method is given, where the cache lacks the retrain.

    Returns:
        The frozen retrain.

    Raises:
        UsageError: A given model does not serve the task.
        Diverged: Training diverges.
    """
    if prepared.given.retrain is not None:
        return given_model(prepared.given.retrain, prepared)

    def build(checkpoints: Checkpoints) -> Artifact:
        problem = make_problem(checkpoints)
        with problem.meter:
            model = METHODS.get(REFERENCE)().unlearn(problem)
        return _as_artifact(model, problem.meter.cost(), prepared)

    return _load(REFERENCE, retrain_inputs(prepared, forget, seed), build, prepared, seed)


def given_model(given: GivenModel, prepared: PreparedTask) -> Trained:
    """Return a frozen model that was trained elsewhere.

    Args:
        given: the model.
        prepared: task that it shall serve.

    Raises:
        UsageError: It lacks what the task needs.
    """
    model = given.load(prepared.task.shape).to(prepared.workspace.device)
    model = divided(model, prepared.backbone.whole)
    return Trained(model.eval().requires_grad_(False), Cost(seconds=0.0), given=True)


def _load(
    kind: str,
    inputs: Mapping[str, Any],
    build: Callable[[Checkpoints], Artifact],
    prepared: PreparedTask,
    seed: int,
) -> Trained:
    workspace = prepared.workspace
    checkpoints = workspace.checkpoints({"kind": kind, **inputs})
    found = workspace.cache.get_or_build(kind, inputs, lambda: build(checkpoints))
    checkpoints.clear()
    model = fresh_model(prepared, seed)
    model.load_state_dict(found.tensors)
    made = Making(**found.info["made"]) if "made" in found.info else None
    return Trained(model.eval().requires_grad_(False), Cost(**found.info["cost"]), made)


def _as_artifact(model: nn.Module, cost: Cost, prepared: PreparedTask) -> Artifact:
    made = describe_making(prepared.workspace.device)
    return Artifact(
        {name: value.detach().cpu() for name, value in model.state_dict().items()},
        {"cost": cost.model_dump(), "made": made.model_dump()},
    )
