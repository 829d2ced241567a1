"""Original, retrain, outputs and measurements: built once, shared by all runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench.cache.artifacts import Artifact
from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Integers, Split
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.metric import Estimate, Measurements
from mmulbench.core.model import MultimodalModel
from mmulbench.core.original_outputs import OriginalOutputs, Tensors
from mmulbench.core.registry import METHODS
from mmulbench.core.training import Checkpoints, fit
from mmulbench.evaluation.measure import EvaluationSets, measure
from mmulbench.records.schema import METRIC_VERSION, Cost
from mmulbench.runs.divided_model import divided
from mmulbench.runs.prepare import Prepared, Workspace
from mmulbench.seeds import generator, torch_seeded

REFERENCE = "retrain"
"""The method every other is compared with."""


def digest(*arrays: Integers | Tensor) -> str:
    """SHA-256 of arrays' contents, 64 hexadecimal digits."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def weights_digest(model: nn.Module) -> str:
    """SHA-256 of a model's names and weights."""
    state = model.state_dict()
    return hashlib.sha256(
        "".join(f"{name}{digest(value.detach().cpu())}" for name, value in state.items()).encode()
    ).hexdigest()


def fresh_model(prepared: Prepared, seed: int, device: torch.device) -> MultimodalModel:
    """A freshly initialised model; the same for the same seed."""
    with torch_seeded(seed, "initial weights"):
        model = prepared.backbone.build(prepared.task.shape).to(device)
    return divided(model, prepared.backbone.whole)


def original_inputs(prepared: Prepared, seed: int) -> dict[str, Any]:
    """The cache key of an original."""
    return {**prepared.key, "seed": seed}


def load_original(prepared: Prepared, seed: int, workspace: Workspace) -> tuple[MultimodalModel, Cost]:
    """The original, trained on the whole training split, frozen; and what training cost.

    Raises:
        Diverged: when training does.
    """
    inputs = original_inputs(prepared, seed)

    def build(checkpoints: Checkpoints) -> Artifact:
        model = fresh_model(prepared, seed, workspace.device)
        with CostMeter(workspace.device) as meter:
            data = prepared.pairs(prepared.data.train)
            fit(model, data, prepared.recipe, seed, meter, workspace.progress, "train original", checkpoints)
        return _as_artifact(model, meter.cost())

    return _load_model("original", inputs, build, prepared, seed, workspace)


def retrain_inputs(prepared: Prepared, forget: Integers, seed: int) -> dict[str, Any]:
    """The cache key of a retrain."""
    return {**original_inputs(prepared, seed), "forget": digest(np.sort(forget))}


def load_retrain(
    prepared: Prepared, problem: UnlearningProblem, forget: Integers, seed: int, workspace: Workspace
) -> tuple[MultimodalModel, Cost]:
    """The reference for one forget set, as the method retrain makes it; and what it cost.

    Raises:
        Diverged: when training does.
    """
    inputs = retrain_inputs(prepared, forget, seed)

    def build(checkpoints: Checkpoints) -> Artifact:
        with problem.meter:
            model = METHODS.get(REFERENCE)().unlearn(replace(problem, checkpoints=checkpoints))
        return _as_artifact(model, problem.meter.cost())

    return _load_model(REFERENCE, inputs, build, prepared, seed, workspace)


def load_outputs(
    prepared: Prepared, original: MultimodalModel, seed: int, workspace: Workspace, meter: CostMeter
) -> OriginalOutputs:
    """The original's outputs on all training data, computed when first asked for."""

    def load(compute: Callable[[], tuple[Tensors, Cost]]) -> tuple[Tensors, Cost]:
        # By its weights: a method that spoils the original must not spoil what others find in the cache.
        inputs = {**original_inputs(prepared, seed), "weights": weights_digest(original)}

        def build() -> Artifact:
            tensors, cost = compute()
            return Artifact(tensors, {"cost": cost.model_dump()})

        found = workspace.cache.get_or_build("outputs", inputs, build)
        return found.tensors, Cost(**found.info["cost"])

    return OriginalOutputs(original, prepared.data.train, prepared.features, load, meter)


def load_measurements(
    model: MultimodalModel, sets: EvaluationSets, prepared: Prepared, seed: int, workspace: Workspace
) -> Measurements:
    """A model's measurements, found by its weights: equal models are measured once."""
    inputs = {
        **prepared.key,
        "weights": weights_digest(model),
        "sets": digest_of_sets(sets),
        "headline": sets.headline,
        "rerank": sets.rerank,
        "gallery": sets.gallery,
        "seed": seed,
        "metric_version": METRIC_VERSION,
    }

    def build() -> Artifact:
        return _pack(measure(model, sets, seed, workspace.progress))

    return _unpack(workspace.cache.get_or_build("measurements", inputs, build))


def evaluation_sets(prepared: Prepared, retain: Split, forget: Split) -> EvaluationSets:
    """The sets all models of one forget set are judged on."""
    return EvaluationSets(
        splits={"test": prepared.data.test, "retain": retain, "forget": forget},
        reference=prepared.data.validation,
        relations=prepared.relations,
        features=prepared.features,
        modalities=prepared.task.modalities,
        rerank=prepared.task.rerank,
        classes=len(prepared.task.classes),
        headline=prepared.task.utility,
        gallery=prepared.task.gallery,
    )


def judged_retain(prepared: Prepared, forget: Integers, seed: int) -> Split:
    """The part of the retain set that trials are judged on: a fixed draw of as many units as are held out.

    Measuring all of Dr would cost more than most methods do.
    """
    retain, count = prepared.data.train.without(forget), len(prepared.data.test.units)
    return retain.only(generator(seed, "judged units").permutation(retain.units)[:count])


def digest_of_sets(sets: EvaluationSets) -> str:
    """SHA-256 of the pairs that models are judged on."""
    return digest(*(column for split in sets.splits.values() for column in _columns(split)))


def _columns(split: Split) -> tuple[Integers, ...]:
    labels = () if split.label is None else (split.label,)
    return (split.first, split.second, *labels)


def _load_model(
    kind: str,
    inputs: Mapping[str, Any],
    build: Callable[[Checkpoints], Artifact],
    prepared: Prepared,
    seed: int,
    workspace: Workspace,
) -> tuple[MultimodalModel, Cost]:
    checkpoints = workspace.checkpoints({"kind": kind, **inputs})
    found = workspace.cache.get_or_build(kind, inputs, lambda: build(checkpoints))
    checkpoints.clear()
    model = fresh_model(prepared, seed, workspace.device)
    model.load_state_dict(found.tensors)
    return model.eval().requires_grad_(False), Cost(**found.info["cost"])


def _as_artifact(model: nn.Module, cost: Cost) -> Artifact:
    return Artifact(
        {name: value.detach().cpu() for name, value in model.state_dict().items()},
        {"cost": cost.model_dump()},
    )


def _pack(found: Measurements) -> Artifact:
    tensors = {
        f"{kind}/{path}/{name}": torch.from_numpy(array)
        for kind, by_path in (("scores", found.scores), ("losses", found.losses))
        for path, by_set in by_path.items()
        for name, array in by_set.items()
    }
    utility = {
        name: {measure: [recall.value, recall.chance, recall.n] for measure, recall in measures.items()}
        for name, measures in found.utility.items()
    }
    return Artifact(tensors, {"utility": utility})


def _unpack(artifact: Artifact) -> Measurements:
    arrays: dict[str, dict[str, dict[str, Any]]] = {"scores": {}, "losses": {}}
    for key, tensor in artifact.tensors.items():
        kind, path, name = key.split("/")
        arrays[kind].setdefault(path, {})[name] = tensor.numpy()
    utility = {
        name: {measure: Estimate(value, n, chance=chance) for measure, (value, chance, n) in measures.items()}
        for name, measures in artifact.info["utility"].items()
    }
    return Measurements(utility, arrays["scores"], arrays["losses"])
